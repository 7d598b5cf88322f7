import { isIP } from 'node:net';
import { BIND_ADDRESS, HOST_NAME } from './host-names.js';
import { type Problem, type Section } from './read-settings.js';
import { Setting } from './setting.decorator.js';

export const SSM_PARAM_PREFIX = 'SSM_PARAM_PREFIX';
/** Not the root path, which would be every parameter of the account. */
export const PARAMETER_PATH = {
  pattern: /^(\/[\w.-]+)+\/?$/,
  expected: 'the path of SSM parameters, such as /managed-agent-control/prod',
};

/** Where the server listens, the host names it accepts, and the largest size of a result. */
export class ServerSettings implements Section {
  static readonly title = 'The server';

  @Setting({
    env: 'MCP_HOST',
    kind: { type: 'text', ...BIND_ADDRESS },
    default: '0.0.0.0',
    summary: 'Address the HTTP server binds to; `::` is every address of both families. Brackets are left out.',
  })
  readonly host!: string;

  @Setting({
    env: 'MCP_PORT',
    kind: { type: 'integer', min: 0, max: 65535 },
    default: 8000,
    summary: 'Port of the HTTP server; 0 picks a free one and logs it.',
  })
  readonly port!: number;

  @Setting({
    env: 'MCP_MANAGEMENT_PORT',
    kind: { type: 'integer', min: 0, max: 65535 },
    example: '9090',
    defaultText: 'none; `/healthz` and `/readyz` are served on `MCP_PORT`',
    summary:
      'A port of its own, at `MCP_HOST`, for `/healthz`, `/readyz` and `/metrics`, so that a service or ingress does not publish them; 0 picks a free one and logs it.',
  })
  readonly managementPort?: number;

  @Setting({
    env: 'MCP_PUBLIC_URL',
    kind: { type: 'url' },
    example: 'https://mcp.example.com',
    summary:
      'The URL at which clients reach this server, without `/mcp`. Set it behind a proxy or on a domain of your own; its host is then accepted in the `Host` and `Origin` headers.',
  })
  readonly publicUrl?: string;

  @Setting({
    env: 'MCP_ALLOWED_HOSTS',
    kind: { type: 'list', each: HOST_NAME },
    default: [],
    example: 'mcp.internal,10.0.0.7',
    summary:
      'Further host names accepted in the `Host` header, at any port; of a URL or a name with a port, the host is read. `localhost`, `127.0.0.1`, `[::1]`, a specific `MCP_HOST` and the host of `MCP_PUBLIC_URL` always are.',
  })
  readonly allowedHosts!: readonly string[];

  @Setting({
    env: 'MCP_ALLOWED_ORIGINS',
    kind: { type: 'list', each: HOST_NAME },
    default: [],
    example: 'console.example.com',
    summary:
      'Further host names accepted in the `Origin` header of browsers, at any port; of an origin (`https://console.example.com`), the host is read. The same names as for `Host` always are. Browsers let pages of the names listed here, and of no others, read answers (CORS).',
  })
  readonly allowedOrigins!: readonly string[];

  @Setting({
    env: 'MCP_TRUSTED_PROXIES',
    kind: { type: 'list' },
    default: [],
    example: '10.0.0.0/8,127.0.0.1',
    summary:
      'Addresses and networks of proxies whose `X-Forwarded-Proto` and `X-Forwarded-Host` are trusted when `MCP_PUBLIC_URL` is not set. Empty means none.',
  })
  readonly trustedProxies!: readonly string[];

  @Setting({
    env: 'MCP_MAX_RESULT_CHARS',
    kind: { type: 'integer', min: 5000, max: 500_000 },
    default: 40_000,
    summary:
      'Largest result of one tool call, in characters of JSON. Event lists return fewer events to stay below it.',
  })
  readonly maxResultChars!: number;

  @Setting({
    env: SSM_PARAM_PREFIX,
    kind: { type: 'text', ...PARAMETER_PATH },
    example: '/managed-agent-control/prod',
    summary:
      'AWS Lambda only: parameters below this SSM path are loaded as settings, `anthropic-api-key` as `ANTHROPIC_API_KEY`; explicit variables win.',
  })
  readonly ssmParamPrefix?: string;

  check(): Problem[] {
    return [...this.ports(), ...this.proxies(), ...this.addresses()];
  }

  private addresses(): Problem[] {
    const problems: Problem[] = [];
    if (this.publicUrl !== undefined) {
      const { pathname, search } = new URL(this.publicUrl);
      if (/\/mcp(\/readonly)?$/i.test(pathname)) {
        const message = `must be the address without /mcp, which is added to it (it is "${this.publicUrl}")`;
        problems.push({ env: 'MCP_PUBLIC_URL', message });
      }
      if (search !== '') problems.push({ env: 'MCP_PUBLIC_URL', message: 'must have no query (what begins with "?")' });
    }
    if (this.allowedOrigins.includes('null')) {
      const message = 'must not have null, which is the origin of files and of pages that hide theirs';
      problems.push({ env: 'MCP_ALLOWED_ORIGINS', message });
    }
    return problems;
  }

  private ports(): Problem[] {
    if (this.managementPort !== this.port || this.port === 0) return [];
    return [{ env: 'MCP_MANAGEMENT_PORT', message: `is the same as MCP_PORT (${this.port}); choose another port` }];
  }

  private proxies(): Problem[] {
    return this.trustedProxies
      .filter((entry) => !isNetwork(entry))
      .map((entry) => ({
        env: 'MCP_TRUSTED_PROXIES',
        message: `must have IP addresses or networks such as 10.0.0.0/8 (it has "${entry}")`,
      }));
  }
}

function isNetwork(entry: string): boolean {
  const [address = '', prefix, ...rest] = entry.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0) return false;
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= (version === 4 ? 32 : 128));
}
