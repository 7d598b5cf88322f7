import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AnthropicSettings } from '../../src/config/anthropic.settings.js';
import { loadSections, SECTIONS } from '../../src/config/config.module.js';
import { GuardrailsSettings } from '../../src/config/guardrails.settings.js';
import { AuthSettings } from '../../src/config/auth.settings.js';
import { ConfigurationError, type Entry, type Environment } from '../../src/config/read-settings.js';
import { ServerSettings } from '../../src/config/server.settings.js';
import { TelemetrySettings } from '../../src/config/telemetry.settings.js';
import { settingsOf } from '../../src/config/setting.decorator.js';

const usable = { ANTHROPIC_API_KEY: 'key', MCP_AUTH_MODE: 'bearer', MCP_BEARER_TOKEN: 'a-token-that-is-long-enough' };

function section<T>(type: new () => T, env: Environment, entry: Entry = 'http'): T {
  return loadSections({ ...usable, ...env }, entry).get(type) as T;
}

function problems(env: Environment, entry: Entry = 'http'): string[] {
  try {
    loadSections(env, entry);
    return [];
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigurationError);
    return (error as ConfigurationError).problems.map(({ env: name, message }) => `${name}: ${message}`);
  }
}

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'settings-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

it('has the defaults of the Python server', () => {
  expect(section(ServerSettings, {})).toMatchObject({ host: '0.0.0.0', port: 8000 });
  expect(section(GuardrailsSettings, {})).toMatchObject({
    allowDestructive: true,
    readOnly: false,
    agentAllowlistActive: false,
    allowedAgentIds: [],
    allowedEnvironmentIds: [],
  });
  expect(section(AuthSettings, {})).toMatchObject({ allowInsecureNoAuth: false, oidcRequireAudience: true });
});

it('stderr can be left out of the audit only where another place has the records', () => {
  const missing = 'MCP_AUDIT_STDERR: false needs MCP_AUDIT_FILE or MCP_AUDIT_URL';
  expect(problems({ ...usable, MCP_AUDIT_STDERR: 'false' })).toEqual([missing]);
  expect(problems({ ...usable, MCP_AUDIT_STDERR: 'false', MCP_AUDIT_FILE: '/tmp/audit.log' })).toEqual([]);
});

it('keeps every variable of the Python server', () => {
  const declared = SECTIONS.flatMap((type) => settingsOf(type)).map(({ env }) => env);
  expect(declared).toEqual(
    expect.arrayContaining([
      'ANTHROPIC_API_KEY',
      'ANTHROPIC_BASE_URL',
      'ANTHROPIC_VERSION',
      'MANAGED_AGENTS_BETA',
      'MCP_AUTH_MODE',
      'MCP_ALLOW_INSECURE_NO_AUTH',
      'MCP_BEARER_TOKEN',
      'MCP_OIDC_ISSUER',
      'MCP_OIDC_JWKS_URL',
      'MCP_OIDC_AUDIENCE',
      'MCP_OIDC_REQUIRE_AUDIENCE',
      'MCP_OIDC_ALLOWED_PRINCIPALS',
      'MCP_OIDC_REQUIRE_TOKEN_USE',
      'MCP_COGNITO_HOSTED_UI',
      'MCP_PUBLIC_URL',
      'MCP_HOST',
      'MCP_PORT',
      'MCP_ALLOWLIST_AGENTS_ACTIVE',
      'MCP_ALLOWED_AGENT_IDS',
      'MCP_ALLOWED_ENVIRONMENT_IDS',
      'MCP_ALLOW_DESTRUCTIVE',
      'SSM_PARAM_PREFIX',
    ]),
  );
  expect(new Set(declared).size).toBe(declared.length);
});

it.each([
  ['true', true],
  ['TRUE', true],
  ['1', true],
  ['yes', true],
  ['on', true],
  ['false', false],
  ['0', false],
  ['No', false],
  [' off ', false],
  ['', true],
  ['  ', true],
])('reads the boolean %j as %s', (text, value) => {
  expect(section(GuardrailsSettings, { MCP_ALLOW_DESTRUCTIVE: text }).allowDestructive).toBe(value);
});

it.each(['maybe', '2', 'tru', 'yes please', 'null'])('refuses the boolean %j', (text) => {
  expect(problems({ ...usable, MCP_ALLOW_DESTRUCTIVE: text })).toEqual([
    `MCP_ALLOW_DESTRUCTIVE: must be true, false, 1, 0, yes, no, on or off (it is "${text}")`,
  ]);
});

it.each(['-1', '65536', '80.5', 'http', '0x50', '1e3'])('refuses the port %j', (text) => {
  expect(problems({ ...usable, MCP_PORT: text })).toEqual([
    `MCP_PORT: must be a whole number from 0 to 65535 (it is "${text}")`,
  ]);
});

it.each(['ftp://x', 'api.example.com', '/v1', 'https://', 'http:// x'])('refuses the URL %j', (text) => {
  expect(problems({ ...usable, ANTHROPIC_BASE_URL: text })).toEqual([
    expect.stringMatching(/^ANTHROPIC_BASE_URL: must be an absolute/),
  ]);
});

it.each(['http://a:99999', 'https://user:secret@host', 'https://host/#part'])('refuses the URL %j', (text) => {
  expect(problems({ ...usable, MCP_PUBLIC_URL: text })).toEqual([
    expect.stringMatching(/^MCP_PUBLIC_URL: must be an absolute/),
  ]);
});

it.each(['http://localhost:8123', 'http://127.0.0.1:1', 'https://[::1]:8000', 'https://my_gateway/anthropic'])(
  'takes the URL %j',
  (text) => {
    expect(section(AnthropicSettings, { ANTHROPIC_BASE_URL: text }).baseUrl).toBe(text);
  },
);

it.each(['ANTHROPIC_API_KEY', 'ANTHROPIC_VERSION', 'MANAGED_AGENTS_BETA'])(
  'refuses a %s that no header can carry',
  (name) => {
    for (const value of ['two\nlines', 'with “quotes”', 'a b']) {
      expect(problems({ ...usable, [name]: value })).toEqual([expect.stringMatching(/printable ASCII without spaces/)]);
    }
    expect(problems({ ...usable, ANTHROPIC_API_KEY: 'sk-ant-secret\nx' }).join()).not.toContain('sk-ant-secret');
  },
);

it('takes trailing slashes off URLs and blanks out of lists', () => {
  expect(section(AnthropicSettings, { ANTHROPIC_BASE_URL: 'https://gateway.example.com/' }).baseUrl).toBe(
    'https://gateway.example.com',
  );
  expect(section(GuardrailsSettings, { MCP_ALLOWED_AGENT_IDS: ' a, ,b,' }).allowedAgentIds).toEqual(['a', 'b']);
});

describe('host names', () => {
  it.each([
    ['mcp.internal', ['mcp.internal']],
    ['https://mcp2.example.com', ['mcp2.example.com']],
    ['https://MCP2.example.com/', ['mcp2.example.com']],
    ['mcp3.example.com:8000, 10.0.0.7:80', ['mcp3.example.com', '10.0.0.7']],
    ['http://localhost:6274', ['localhost']],
    ['[::1]:8000,fd00::1,[fd00::2]', ['[::1]', '[fd00::1]', '[fd00::2]']],
    ['vscode-webview://abc', ['abc']],
    ['my_host,a.b.', ['my_host', 'a.b.']],
  ])('%s are read as %j', (text, names) => {
    const { allowedHosts, allowedOrigins } = section(ServerSettings, {
      MCP_ALLOWED_HOSTS: text,
      MCP_ALLOWED_ORIGINS: text,
    });
    expect([allowedHosts, allowedOrigins]).toEqual([names, names]);
  });

  it.each([
    '*',
    '*.corp.example.com',
    'https://*.example.com',
    'https://a.example.com/app',
    'a b',
    'user@host',
    'https://',
  ])('%j is refused at the start', (text) => {
    for (const name of ['MCP_ALLOWED_HOSTS', 'MCP_ALLOWED_ORIGINS']) {
      expect(problems({ ...usable, [name]: text })).toEqual([
        `${name}: must be host names separated by commas, without path and without * (each name is written out) (it is "${text}")`,
      ]);
    }
  });

  it('the origin of files is refused', () => {
    expect(problems({ ...usable, MCP_ALLOWED_ORIGINS: 'null' })).toEqual([expect.stringMatching(/must not have null/)]);
  });

  it.each([
    ['[::]', '::'],
    ['[::1]', '::1'],
    ['::', '::'],
    ['127.0.0.1', '127.0.0.1'],
    ['localhost', 'localhost'],
    ['fe80::1%eth0', 'fe80::1%eth0'],
  ])('MCP_HOST %s is read as %s', (text, host) => {
    expect(section(ServerSettings, { MCP_HOST: text }).host).toBe(host);
  });

  it.each(['http://0.0.0.0', '0.0.0.0:8000', '*', '[::]:8000', 'localhost/'])('MCP_HOST %s is refused', (text) => {
    expect(problems({ ...usable, MCP_HOST: text })).toEqual([
      expect.stringMatching(/^MCP_HOST: must be an IP address or a host name, without scheme and port/),
    ]);
  });

  it.each(['https://mcp.example.com/mcp', 'https://mcp.example.com/mcp/', 'https://a/b/MCP', 'https://a/mcp/readonly'])(
    'MCP_PUBLIC_URL %s is refused',
    (text) => {
      expect(problems({ ...usable, MCP_PUBLIC_URL: text })).toEqual([
        expect.stringMatching(/^MCP_PUBLIC_URL: must be the address without \/mcp/),
      ]);
    },
  );

  it.each(['https://mcp.example.com', 'https://mcp.example.com/tools', 'https://example.com/mcp-server'])(
    'MCP_PUBLIC_URL %s can be used',
    (text) => {
      expect(section(ServerSettings, { MCP_PUBLIC_URL: text }).publicUrl).toBe(text);
    },
  );
});

it.each([
  ['MCP_ALLOWED_AGENT_IDS', '"agent_a"'],
  ['MCP_ALLOWED_AGENT_IDS', '"agent_a,agent_b"'],
  ['MCP_ALLOWED_AGENT_IDS', "agent_a,'agent_b'"],
  ['MCP_ALLOWED_HOSTS', '“mcp.example.com”'],
  ['MCP_OIDC_ISSUER', '"https://idp.example.com"'],
  ['MCP_OIDC_AUDIENCE', '"mcp"'],
  ['MCP_OAUTH_CLIENT_ID', '"client"'],
  ['MCP_ROLE_BINDINGS', '"viewer=*"'],
  ['MCP_READ_ONLY', '"true"'],
  ['MCP_PORT', '"8000"'],
  ['MCP_PUBLIC_URL', "'https://mcp.example.com'"],
])('%s in quotation marks (%s) is refused', (name, text) => {
  expect(problems({ ...usable, [name]: text })).toEqual([
    `${name}: has quotation marks, which count as part of the value (docker keeps those of an --env-file); write it without them (it is ${text})`,
  ]);
});

it.each(['*', 'agent a', 'my agent,agent_b', 'agent_*'])('%j is no list of ids', (text) => {
  for (const kind of ['AGENT', 'ENVIRONMENT', 'VAULT', 'MEMORY_STORE']) {
    const name = `MCP_ALLOWED_${kind}_IDS`;
    expect(problems({ ...usable, [name]: text })).toEqual([
      `${name}: must be ids separated by commas, without blanks and without * (it is "${text}")`,
    ]);
  }
});

it.each(['*', '*@example.com', 'a,*.example.com'])('%j names no principal', (text) => {
  expect(problems({ ...usable, MCP_OIDC_ALLOWED_PRINCIPALS: text })).toEqual([
    expect.stringMatching(/must be names separated by commas, without patterns/),
  ]);
});

describe('byte order marks', () => {
  const JSON_TEXT = '{"tokens": [{"name": "ci", "token": "a-token-of-the-ci-job"}]}';
  it.each<[string, Buffer]>([
    ['UTF-8', Buffer.from(`\uFEFF${JSON_TEXT}`)],
    ['UTF-16, as PowerShell writes it', Buffer.from(`\uFEFF${JSON_TEXT}`, 'utf16le')],
  ])('are skipped in MCP_BEARER_TOKENS_FILE: %s', (_encoding, bytes) => {
    const file = join(folder, 'tokens.json');
    writeFileSync(file, bytes);
    const { namedTokens } = section(AuthSettings, { MCP_BEARER_TOKENS_FILE: file });
    expect(namedTokens.map(({ name }) => name)).toEqual(['ci']);
  });

  it('are skipped in files of secrets and in values', () => {
    const file = join(folder, 'marked');
    writeFileSync(file, '\uFEFFsk-ant-from-file\r\n', 'utf16le');
    const env = { ANTHROPIC_API_KEY: '', ANTHROPIC_API_KEY_FILE: file, ANTHROPIC_VERSION: '\uFEFF2023-06-01' };
    expect(section(AnthropicSettings, env)).toMatchObject({ apiKey: 'sk-ant-from-file', version: '2023-06-01' });
  });
});

describe('variables of OpenTelemetry', () => {
  const FOREIGN: [string, string][] = [
    ['OTEL_EXPORTER_OTLP_PROTOCOL', 'grpc'],
    ['OTEL_METRICS_EXPORTER', 'prometheus'],
    ['OTEL_METRICS_EXPORTER', 'otlp,console'],
    ['OTEL_TRACES_EXPORTER', 'console'],
    ['OTEL_TRACES_SAMPLER', 'parentbased_jaeger_remote'],
    ['OTEL_TRACES_SAMPLER_ARG', 'endpoint=http://localhost:14250'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:4317'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'no pairs'],
    ['OTEL_EXPORTER_OTLP_HEADERS_FILE', '/nonexistent/headers'],
    ['OTEL_RESOURCE_ATTRIBUTES', 'a=%'],
    ['OTEL_METRIC_EXPORT_INTERVAL', '10s'],
    ['OTEL_SDK_DISABLED', 'maybe'],
    ['OTEL_SERVICE_NAME', '"claude"'],
  ];

  it.each(FOREIGN)('%s=%s switches telemetry off over stdio, and stops the HTTP server', (name, text) => {
    const settings = section(TelemetrySettings, { [name]: text }, 'stdio');
    expect(settings).toMatchObject({ disabled: true, tracesUrl: undefined, metricsUrl: undefined });
    expect(settings.unusable).toContain(name);
    expect(problems({ ...usable, [name]: text })).toEqual([expect.stringContaining(name)]);
  });

  it('leave other problems as they are', () => {
    const env = { ...usable, OTEL_TRACES_EXPORTER: 'console', MCP_LOG_LEVEL: 'loud' };
    expect(problems(env, 'stdio')).toEqual([expect.stringMatching(/^MCP_LOG_LEVEL/)]);
  });
});

it('lists all problems in one message', () => {
  const env = {
    HOME: '/nonexistent',
    MCP_AUTH_MODE: 'password',
    MCP_PORT: '99999',
    MCP_READ_ONLY: 'si',
    MCP_LOG_LEVEL: 'loud',
  };
  expect(problems(env)).toEqual([
    expect.stringMatching(/^ANTHROPIC_API_KEY: is missing/),
    expect.stringMatching(
      /^MCP_AUTH_MODE: must be a comma-separated list of: bearer, oidc, cognito \(it is "password"\)/,
    ),
    expect.stringMatching(/^MCP_READ_ONLY: /),
    expect.stringMatching(/^MCP_PORT: /),
    expect.stringMatching(/^MCP_LOG_LEVEL: must be one of: fatal, error, warn, info, debug, trace/),
  ]);
});

describe('the credential', () => {
  const noHome = { HOME: '/nonexistent' };

  it('is required', () => {
    expect(problems(noHome, 'stdio')).toEqual([
      expect.stringMatching(/^ANTHROPIC_API_KEY: is missing\. Set it \(or ANTHROPIC_API_KEY_FILE\)/),
    ]);
  });

  it.each(['ANTHROPIC_AUTH_TOKEN', 'ANTHROPIC_PROFILE', 'ANTHROPIC_FEDERATION_RULE_ID'])(
    'may come from the SDK through %s',
    (name) => {
      expect(problems({ ...noHome, [name]: 'x' }, 'stdio')).toEqual([]);
    },
  );

  it('comes from a file, without the line end', () => {
    const file = join(folder, 'key');
    writeFileSync(file, 'sk-ant-from-file\n');
    expect(section(AnthropicSettings, { ANTHROPIC_API_KEY: '', ANTHROPIC_API_KEY_FILE: file }).apiKey).toBe(
      'sk-ant-from-file',
    );
  });

  it('refuses a file that is missing or empty, and two sources at once', () => {
    const empty = join(folder, 'empty');
    writeFileSync(empty, '\n');
    const withFile = (file: string, key = '') =>
      problems({ ...noHome, ANTHROPIC_API_KEY: key, ANTHROPIC_API_KEY_FILE: file }, 'stdio');
    expect(withFile('/nonexistent/key')).toEqual([
      expect.stringMatching(/^ANTHROPIC_API_KEY_FILE: names a file that cannot be read.*ENOENT/),
    ]);
    expect(withFile(empty)).toEqual([expect.stringMatching(/^ANTHROPIC_API_KEY_FILE: names an empty file/)]);
    expect(withFile(empty, 'key')).toEqual([
      expect.stringMatching(/^ANTHROPIC_API_KEY_FILE: is set together with ANTHROPIC_API_KEY/),
    ]);
  });
});

describe('authentication of HTTP callers', () => {
  it('is required', () => {
    expect(problems({ ANTHROPIC_API_KEY: 'key' })).toEqual([expect.stringMatching(/^MCP_AUTH_MODE: is missing/)]);
    expect(problems({ ANTHROPIC_API_KEY: 'key', MCP_ALLOW_INSECURE_NO_AUTH: 'true' })).toEqual([]);
    expect(problems({ ANTHROPIC_API_KEY: 'key' }, 'stdio')).toEqual([]);
  });

  it('by bearer needs a token, which a message never shows', () => {
    expect(problems({ ...usable, MCP_BEARER_TOKEN: '' })).toEqual([
      expect.stringMatching(/^MCP_BEARER_TOKEN: is missing/),
    ]);
    const message = problems({ ...usable, MCP_BEARER_TOKEN: 'with spaces in it' }).join();
    expect(message).toMatch(/MCP_BEARER_TOKEN: must be printable ASCII without spaces/);
    expect(message).not.toContain('with spaces in it');
  });
});
