import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Harness, startHarness } from '../support/harness.js';
import { oidcEnv, TestIssuer } from '../support/issuer.js';
import { call, send } from '../support/rpc.js';
import { serverEnv, startServer, TOKEN } from '../support/server.js';
import { auditLines, logMessages, stderrText } from '../support/stderr.js';

const CI = 'ci-canary-0123456789abcdef';
const OPS = 'ops-canary-0123456789abcdef';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tokens-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function file(content: unknown): string {
  const path = join(folder, 'tokens.json');
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}
const tokens = (...entries: object[]) => file({ tokens: entries });

const list = call('tools/call', { name: 'agent_list', arguments: {} });
const ask = (url: string, token: string) => send(url, { body: list, headers: { authorization: `Bearer ${token}` } });

describe('several tokens', () => {
  let harness: Harness;
  beforeAll(async () => {
    const path = tokens({ name: 'ci', token: CI, roles: ['operator'] }, { name: 'ops@example.com', token: OPS });
    harness = await startHarness({ env: { MCP_BEARER_TOKENS_FILE: path, MCP_LOG_LEVEL: 'warn' } });
  });
  afterAll(() => harness.close());

  it.each([
    ['ci', CI],
    ['ops@example.com', OPS],
    ['static-bearer', TOKEN],
  ])('%s is told apart in the audit', async (name, token) => {
    expect(await ask(harness.server.url, token)).toMatchObject({ status: 200 });
    expect(auditLines()).toEqual([expect.objectContaining({ principal: name, issuer: 'bearer' })]);
    expect(stderrText()).not.toContain(token);
    expect(JSON.stringify(harness.simulator.requests)).not.toContain(token);
  });

  it.each([CI.slice(0, -1), `${CI}x`, CI.toUpperCase(), 'ci', `${CI},${OPS}`, '', '{}'])(
    '%j is refused',
    async (token) => {
      expect(await ask(harness.server.url, token)).toMatchObject({ status: 401 });
      expect(auditLines()).toEqual([]);
    },
  );
});

it('work without MCP_BEARER_TOKEN', async () => {
  const env = { MCP_BEARER_TOKEN: '', MCP_BEARER_TOKENS_FILE: tokens({ name: 'ci', token: CI }) };
  const server = await startServer(serverEnv('http://127.0.0.1:1', env));
  const answer = await send(server.url, { body: call('tools/list'), headers: { authorization: `Bearer ${CI}` } });
  expect(answer.status).toBe(200);
  await server.close();
});

describe('a file that cannot be used stops the start', () => {
  const good = { name: 'ci', token: CI };
  const cases: [what: string, path: () => string, message: RegExp][] = [
    ['is missing', () => '/nonexistent/tokens.json', /names a file that cannot be read .*ENOENT/],
    ['is a folder', () => folder, /cannot be read .*EISDIR/],
    ['is no JSON', () => file(`{"tokens": [{"token": "${CI}"`), /must name a JSON file of the form/],
    ['is a list', () => file([good]), /must name a JSON file of the form/],
    ['is larger than 1 MB', () => file(' '.repeat(1024 * 1024 + 1)), /larger than 1 MB/],
    ['has no tokens', () => file({}), /tokens must be/],
    ['has an empty list', () => tokens(), /tokens must have at least one entry/],
    ['has texts instead of entries', () => file({ tokens: [CI] }), /must be an object|tokens\[0\]/],
    ['has unknown fields', () => tokens({ ...good, [OPS]: true }), /tokens\[0\] has an unknown field/],
    ['has unknown fields outside', () => file({ tokens: [good], [OPS]: 1 }), /the document has an unknown field/],
    ['has no name', () => tokens({ token: CI }), /tokens\[0\]\.name must have 1 to 64/],
    ['has a name with spaces', () => tokens({ ...good, name: 'a b' }), /tokens\[0\]\.name must have 1 to 64/],
    ['has no token', () => tokens({ name: 'ci' }), /tokens\[0\]\.token must/],
    [
      'has a short token',
      () => tokens(good, { name: 'b', token: 'canary-too-shor' }),
      /tokens\[1\]\.token must have 16 to 512/,
    ],
    [
      'has a token with spaces',
      () => tokens({ ...good, token: 'canary with spaces in it' }),
      /tokens\[0\]\.token must be printable/,
    ],
    ['has roles that are no list', () => tokens({ ...good, roles: 'admin' }), /tokens\[0\]\.roles must be a list/],
    ['has roles that are no texts', () => tokens({ ...good, roles: [1] }), /tokens\[0\]\.roles must be a list/],
    ['has a name twice', () => tokens(good, { name: 'ci', token: OPS }), /two tokens named "ci"/],
    ['has a token twice', () => tokens(good, { name: 'b', token: CI }), /the token of "b" twice/],
    [
      'has the token of MCP_BEARER_TOKEN',
      () => tokens({ name: 'b', token: TOKEN }),
      /has the token of MCP_BEARER_TOKEN as "b"/,
    ],
    ['uses the reserved name', () => tokens({ name: 'static-bearer', token: CI }), /choose another name/],
  ];
  it.each(cases)('when it %s', async (_what, path, message) => {
    const env = serverEnv('http://127.0.0.1:1', { MCP_BEARER_TOKENS_FILE: path() });
    const failure = await startServer(env).then(
      () => 'it started',
      (error: Error) => error.message,
    );
    expect(failure).toMatch(/MCP_BEARER_TOKENS_FILE: /);
    expect(failure).toMatch(message);
    expect(failure).not.toMatch(/canary/);
    expect(failure).not.toContain(TOKEN);
  });
});

describe('together with oidc', () => {
  let issuer: TestIssuer;
  let harness: Harness;
  beforeAll(async () => {
    issuer = await TestIssuer.start();
    harness = await startHarness({
      env: {
        ...oidcEnv(issuer.url),
        MCP_AUTH_MODE: 'oidc,bearer',
        MCP_BEARER_TOKEN: TOKEN,
        MCP_BEARER_TOKENS_FILE: tokens({ name: 'ci', token: CI }),
        MCP_LOG_LEVEL: 'warn',
      },
    });
  });
  afterAll(async () => {
    await harness.close();
    await issuer.close();
  });

  it('each caller is known by its own issuer', async () => {
    for (const token of [await issuer.token(), CI, TOKEN]) {
      expect(await ask(harness.server.url, token)).toMatchObject({ status: 200 });
    }
    expect(auditLines().map(({ principal, issuer: by }) => [principal, by])).toEqual([
      ['alice', issuer.url],
      ['ci', 'bearer'],
      ['static-bearer', 'bearer'],
    ]);
  });

  it('a token is judged by the one strategy that can, and the log says what that one found', async () => {
    const wrong = await ask(harness.server.url, 'some-opaque-token');
    expect(logMessages()).toEqual(['request refused: unknown bearer token']);
    const expired = await ask(harness.server.url, await issuer.token({ exp: 1 }));
    expect(logMessages()).toEqual([
      'request refused: unknown bearer token',
      expect.stringMatching(/^request refused: the token expired at \d{4}-.*Z$/),
    ]);
    expect([wrong.status, expired.status]).toEqual([401, 401]);
    expect(wrong.text).toBe(expired.text);
    expect(wrong.headers['www-authenticate']).toBe(expired.headers['www-authenticate']);
  });

  it('refuses to start with a handed-out token that looks like one of a provider', async () => {
    const jwt = await issuer.token();
    const env = { ...oidcEnv(issuer.url), MCP_AUTH_MODE: 'bearer,oidc', MCP_BEARER_TOKEN: jwt };
    const failure = await startServer(serverEnv('http://127.0.0.1:1', env)).catch((error: Error) => error.message);
    expect(failure).toMatch(/MCP_BEARER_TOKEN: has the form of a JWT/);
    expect(failure).not.toContain(jwt);
  });
});
