import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AnthropicSettings } from '../../src/config/anthropic.settings.js';
import { loadSections, SECTIONS } from '../../src/config/config.module.js';
import { GuardrailsSettings } from '../../src/config/guardrails.settings.js';
import { AuthSettings } from '../../src/config/auth.settings.js';
import { ConfigurationError, type Entry, type Environment } from '../../src/config/read-settings.js';
import { ServerSettings } from '../../src/config/server.settings.js';
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
