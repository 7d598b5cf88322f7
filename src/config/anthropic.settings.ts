import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Environment, type Entry, type Problem, type Section } from './read-settings.js';
import { Setting } from './setting.decorator.js';

/** Characters that a header can carry; any other would fail the first call, with the value in the error. */
const HEADER_VALUE = { type: 'text', pattern: /^[\x21-\x7e]+$/, expected: 'printable ASCII without spaces' } as const;

/** Outbound: how this server calls the Managed Agents API. Never derived from anything a caller sends. */
export class AnthropicSettings implements Section {
  static readonly title = 'Outbound: the Managed Agents API';

  @Setting({
    env: 'ANTHROPIC_API_KEY',
    kind: HEADER_VALUE,
    secret: true,
    example: 'sk-ant-...',
    defaultText: "the SDK's own credential chain",
    summary:
      'API key of the workspace this server acts in. Without a key, the credential chain of the Anthropic SDK applies: workload identity federation (`ANTHROPIC_FEDERATION_RULE_ID` and `ANTHROPIC_ORGANIZATION_ID` with an identity token) or a profile (`ANTHROPIC_PROFILE`, or the default one in the configuration directory).',
  })
  readonly apiKey?: string;

  @Setting({
    env: 'ANTHROPIC_API_KEY_HEADER',
    kind: { type: 'choice', of: ['authorization', 'x-api-key'] },
    default: 'authorization',
    summary: 'Header that carries the key: `Authorization: Bearer`, or `x-api-key` for gateways that require it.',
  })
  readonly apiKeyHeader!: 'authorization' | 'x-api-key';

  @Setting({
    env: 'ANTHROPIC_BASE_URL',
    kind: { type: 'url' },
    example: 'https://gateway.example.com',
    defaultText: "the SDK's default",
    summary: 'Base URL of the API; override for a gateway or the simulator.',
  })
  readonly baseUrl?: string;

  @Setting({
    env: 'ANTHROPIC_VERSION',
    kind: HEADER_VALUE,
    example: '2023-06-01',
    defaultText: 'what the SDK sends',
    summary: 'Overrides the `anthropic-version` header.',
  })
  readonly version?: string;

  @Setting({
    env: 'MANAGED_AGENTS_BETA',
    kind: HEADER_VALUE,
    example: 'managed-agents-2026-04-01',
    defaultText: 'what the SDK sends for each endpoint family',
    summary: 'Overrides the `anthropic-beta` header of every call.',
  })
  readonly beta?: string;

  @Setting({
    env: 'ANTHROPIC_TIMEOUT_SECONDS',
    kind: { type: 'integer', min: 1, max: 600 },
    default: 30,
    summary: 'Longest duration of one attempt of an API call until its answer has been read, in seconds.',
  })
  readonly timeoutSeconds!: number;

  @Setting({
    env: 'ANTHROPIC_MAX_RETRIES',
    kind: { type: 'integer', min: 0, max: 10 },
    default: 2,
    summary:
      'How often a failed API call is tried again. Session creation and event sends are tried again only when the API certainly did not act on the first attempt.',
  })
  readonly maxRetries!: number;

  @Setting({
    env: 'ANTHROPIC_MAX_RESPONSE_MB',
    kind: { type: 'integer', min: 1, max: 256 },
    default: 10,
    summary:
      'Largest answer of the API that is read, decompressed, in megabytes. A larger one fails the call. The default fits a heap of 256 MB.',
  })
  readonly maxResponseMb!: number;

  @Setting({
    env: 'ANTHROPIC_MAX_EVENT_MB',
    kind: { type: 'integer', min: 1, max: 64 },
    default: 4,
    summary:
      'Largest event of an event stream that is read, in megabytes. A larger one ends the stream; the event list, which is bounded by `ANTHROPIC_MAX_RESPONSE_MB`, is read instead.',
  })
  readonly maxEventMb!: number;

  check(_entry: Entry, env: Environment): Problem[] {
    if (this.apiKey !== undefined || credentialChainConfigured(env)) return [];
    return [
      {
        env: 'ANTHROPIC_API_KEY',
        message:
          'is missing. Set it (or ANTHROPIC_API_KEY_FILE), or configure workload identity federation or a profile of the Anthropic SDK',
      },
    ];
  }
}

/**
 * Whether the SDK's credential chain has a source. The SDK resolves it; this check only prevents a server without any
 * credential from starting.
 */
function credentialChainConfigured(env: Environment): boolean {
  if (env.ANTHROPIC_AUTH_TOKEN || env.ANTHROPIC_PROFILE || env.ANTHROPIC_FEDERATION_RULE_ID) return true;
  const candidates = [
    env.ANTHROPIC_CONFIG_DIR,
    env.XDG_CONFIG_HOME && join(env.XDG_CONFIG_HOME, 'anthropic'),
    env.HOME && join(env.HOME, '.config', 'anthropic'),
    env.APPDATA && join(env.APPDATA, 'Anthropic'),
  ];
  return candidates.some((directory) => directory && existsSync(join(directory, 'configs')));
}
