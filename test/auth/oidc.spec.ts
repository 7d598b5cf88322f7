import { type JWTPayload } from 'jose';
import { Simulator } from '../simulator/index.js';
import { connectHttp } from '../support/client.js';
import { issuerKey, oidcEnv, TestIssuer } from '../support/issuer.js';
import { call, send } from '../support/rpc.js';
import { serverEnv, startServer, type TestServer } from '../support/server.js';
import { auditLines, logMessages, stderrText } from '../support/stderr.js';

let simulator: Simulator;
beforeAll(async () => {
  simulator = await Simulator.start({ fixtures: true });
});
afterAll(() => simulator.close());

const MINUTE = 60_000;
let travelled = 0;
beforeEach(() => {
  travelled = 0;
  const real = Date.now.bind(Date);
  jest.spyOn(Date, 'now').mockImplementation(() => real() + travelled);
});
afterEach(() => jest.restoreAllMocks());

const start = (env: Record<string, string>) => startServer(serverEnv(simulator.url, { MCP_LOG_LEVEL: 'warn', ...env }));
const list = call('tools/call', { name: 'agent_list', arguments: {} });
const statusOf = async (server: TestServer, token: string) =>
  (await send(server.url, { body: list, headers: { authorization: `Bearer ${token}` } })).status;

describe('keys', () => {
  let issuer: TestIssuer;
  let server: TestServer;
  beforeEach(async () => {
    issuer = await TestIssuer.start();
  });
  afterEach(async () => {
    await server.close();
    await issuer.close();
  });

  it('are fetched once for many calls', async () => {
    server = await start(oidcEnv(issuer.url));
    const tokens = await Promise.all(['alice', 'bob', 'carol'].map((sub) => issuer.token({ sub })));
    for (const token of [...tokens, ...tokens]) expect(await statusOf(server, token)).toBe(200);
    expect(issuer.keyFetches).toBe(1);
  });

  it('are fetched again for a new key id, but not again within 30 seconds', async () => {
    server = await start(oidcEnv(issuer.url));
    expect(await statusOf(server, await issuer.token())).toBe(200);
    issuer.keys.unshift(await issuerKey('second'));
    expect(await statusOf(server, await issuer.token())).toBe(401);
    expect(issuer.keyFetches).toBe(1);
    travelled = 31_000;
    expect(await statusOf(server, await issuer.token())).toBe(200);
    expect(issuer.keyFetches).toBe(2);
  });

  it('that the provider took away are trusted for ten minutes at most, remembered tokens included', async () => {
    server = await start(oidcEnv(issuer.url));
    const old = await issuer.token({ exp: Math.floor(Date.now() / 1000) + 3600 });
    expect(await statusOf(server, old)).toBe(200);
    issuer.keys = [await issuerKey('second')];
    travelled = 9 * MINUTE;
    expect(await statusOf(server, old)).toBe(200);
    travelled = 10 * MINUTE + 1000;
    expect(await statusOf(server, old)).toBe(401);
    expect(await statusOf(server, await issuer.token())).toBe(200);
  });

  it('stay in use while the provider is down, for a day', async () => {
    server = await start(oidcEnv(issuer.url));
    const long = (exp: number) => issuer.token({ exp: Math.floor(Date.now() / 1000) + exp });
    expect(await statusOf(server, await long(60))).toBe(200);
    issuer.status = 503;
    travelled = 60 * MINUTE;
    expect(await statusOf(server, await long(60))).toBe(200);
    expect(stderrText()).toMatch(/cannot fetch the signing keys .*the last good answer stays in use/);
    const before = issuer.requests.length;
    expect(await statusOf(server, await long(60))).toBe(200);
    expect(issuer.requests).toHaveLength(before);
    travelled = 25 * 60 * MINUTE;
    expect(await statusOf(server, await long(60))).toBe(503);
  });

  it('that cannot be fetched keep nobody from starting, and let nobody in: callers try again and stay signed in', async () => {
    issuer.status = 503;
    server = await start(oidcEnv(issuer.url));
    const headers = { authorization: `Bearer ${await issuer.token()}` };
    const answer = await send(server.url, { body: list, headers });
    expect(answer).toMatchObject({ status: 503, json: { jsonrpc: '2.0', id: null, error: { code: -32000 } } });
    expect(answer.json.error.message).toMatch(/signing keys .* not available.*send it again later/);
    expect(Number(answer.headers['retry-after'])).toBeGreaterThanOrEqual(1);
    expect(answer.headers['www-authenticate']).toBeUndefined();
    expect(await statusOf(server, await issuer.token({ iss: 'https://stranger.example.com' }))).toBe(401);
    expect(stderrText()).toMatch(/no signing key could be fetched from http:\/\/127\.0\.0\.1:\d+/);
    issuer.status = undefined;
    travelled = 31_000;
    expect(await statusOf(server, await issuer.token())).toBe(200);
  });

  it('come from MCP_OIDC_JWKS_URL without discovery', async () => {
    server = await start(oidcEnv(issuer.url, { MCP_OIDC_JWKS_URL: `${issuer.url}/jwks` }));
    expect(await statusOf(server, await issuer.token())).toBe(200);
    expect(new Set(issuer.requests)).toEqual(new Set(['/jwks']));
  });

  it.each([
    ['of another issuer', { issuer: 'https://other.example.com' }, /names the issuer "https:\/\/other/],
    ['with keys over plain http', { jwks_uri: 'http://keys.example.com/jwks' }, /jwks_uri that is not an https URL/],
    ['without keys', { jwks_uri: undefined }, /has no jwks_uri; set MCP_OIDC_JWKS_URL/],
    ['with keys elsewhere that are none', { jwks_uri: 'https://127.0.0.1:1/jwks' }, /cannot fetch the signing keys/],
  ])('are not taken from a discovery document %s', async (_what, discovery, reason) => {
    issuer.discovery = discovery;
    server = await start(oidcEnv(issuer.url));
    expect(await statusOf(server, await issuer.token())).toBe(503);
    expect(logMessages().join('\n')).toMatch(reason);
  });

  it('shorter than 2048 bits are not used', async () => {
    const { generateKeyPairSync } = await import('node:crypto');
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
    issuer.keys = [{ ...issuer.keys[0]!, jwk: { ...publicKey.export({ format: 'jwk' }), kid: 'weak' } }];
    server = await start(oidcEnv(issuer.url));
    expect(await statusOf(server, await issuer.token({}, { kid: 'weak' }))).toBe(503);
    expect(stderrText()).toContain('has no usable signing key');
  });

  it('may have no id when there is one only', async () => {
    issuer.keys = [await issuerKey(undefined)];
    server = await start(oidcEnv(issuer.url));
    expect(await statusOf(server, await issuer.token())).toBe(200);
  });
});

it('a remembered token ends when it expires', async () => {
  const issuer = await TestIssuer.start();
  const server = await start(oidcEnv(issuer.url));
  const token = await issuer.token({ exp: Math.floor(Date.now() / 1000) + 120 });
  expect(await statusOf(server, token)).toBe(200);
  travelled = 170_000;
  expect(await statusOf(server, token)).toBe(200);
  travelled = 181_000;
  expect(await statusOf(server, token)).toBe(401);
  expect(stderrText()).toContain('the token expired at ');
  await server.close();
  await issuer.close();
});

describe('several issuers', () => {
  it('are told apart by the token, and never share keys', async () => {
    const [first, second] = [await TestIssuer.start(), await TestIssuer.start()];
    const server = await start(oidcEnv(`${first.url},${second.url}`));
    expect(await statusOf(server, await first.token())).toBe(200);
    expect(await statusOf(server, await second.token())).toBe(200);
    expect(await statusOf(server, await second.token({ iss: first.url }))).toBe(401);
    expect(auditLines().map(({ issuer }) => issuer)).toEqual([first.url, second.url]);
    await server.close();
    await Promise.all([first.close(), second.close()]);
  });
});

describe('rules of the operator', () => {
  let issuer: TestIssuer;
  beforeAll(async () => {
    issuer = await TestIssuer.start();
  });
  afterAll(() => issuer.close());

  const cases: [env: Record<string, string>, claims: JWTPayload, status: number][] = [
    [{ MCP_OIDC_ALLOWED_PRINCIPALS: 'alice' }, {}, 200],
    [{ MCP_OIDC_ALLOWED_PRINCIPALS: 'ALICE,bob' }, {}, 200],
    [{ MCP_OIDC_ALLOWED_PRINCIPALS: 'bob' }, {}, 401],
    [{ MCP_OIDC_ALLOWED_PRINCIPALS: 'a@example.com' }, { email: 'A@Example.com' }, 200],
    [{ MCP_OIDC_ALLOWED_PRINCIPALS: 'a@example.com' }, { email: 'a@example.com', email_verified: true }, 200],
    [{ MCP_OIDC_ALLOWED_PRINCIPALS: 'a@example.com' }, { email: 'a@example.com', email_verified: false }, 401],
    [{ MCP_OIDC_ALLOWED_PRINCIPALS: 'a@example.com' }, { email: 'a@example.com', email_verified: 'false' }, 401],
    [{ MCP_OIDC_ALLOWED_PRINCIPALS: 'al' }, { username: 'AL' }, 200],
    [{ MCP_OIDC_ALLOWED_PRINCIPALS: 'al' }, { 'cognito:username': 'al' }, 200],
    [{ MCP_OIDC_ALLOWED_PRINCIPALS: 'al' }, { name: 'al', preferred_username: 'al' }, 401],
    [{ MCP_OIDC_REQUIRE_TOKEN_USE: 'access' }, { token_use: 'access' }, 200],
    [{ MCP_OIDC_REQUIRE_TOKEN_USE: 'access' }, { token_use: 'ACCESS' }, 401],
    [{ MCP_OIDC_REQUIRE_TOKEN_USE: 'access' }, {}, 401],
    [{ MCP_OIDC_AUDIENCE_CLAIMS: 'aud' }, { aud: 'other', azp: 'mcp', client_id: 'mcp' }, 401],
    [{ MCP_OIDC_AUDIENCE_CLAIMS: 'aud' }, { aud: 'mcp' }, 200],
    [{ MCP_OIDC_AUDIENCE: 'one,two' }, { aud: 'two' }, 200],
    [{ MCP_OIDC_AUDIENCE: '', MCP_OIDC_REQUIRE_AUDIENCE: 'false' }, { aud: 'anything' }, 200],
    [{ MCP_OIDC_REQUIRE_AUDIENCE: 'false' }, { aud: 'anything' }, 401],
    [{ MCP_OIDC_ALGORITHMS: 'ES256,PS256' }, {}, 401],
    [{ MCP_OIDC_ALGORITHMS: 'RS256' }, {}, 200],
  ];
  it.each(cases)('%j with %j is %d', async (env, claims, status) => {
    const server = await start(oidcEnv(issuer.url, env));
    expect(await statusOf(server, await issuer.token(claims))).toBe(status);
    await server.close();
  });
});

it('announces that audiences are not checked', async () => {
  const server = await start(
    oidcEnv('http://127.0.0.1:1', { MCP_OIDC_AUDIENCE: '', MCP_OIDC_REQUIRE_AUDIENCE: 'false' }),
  );
  expect(stderrText()).toContain('tokens for any application of the issuer are accepted');
  await server.close();
});

it('serves the official client, and sends nothing of its token upstream', async () => {
  const issuer = await TestIssuer.start();
  const server = await start(oidcEnv(issuer.url));
  const token = await issuer.token({ email: 'canary@example.com', nonce: 'canary-claim', scope: 'a' });
  const client = await connectHttp(server.url, undefined, token);
  await client.callTool({ name: 'agent_list', arguments: {} });
  await client.close();
  const upstream = JSON.stringify(simulator.requests);
  expect(simulator.requests.at(-1)!.headers.authorization).toBe('Bearer sk-ant-test-canary');
  for (const secret of [token, ...token.split('.'), 'canary@example.com', 'canary-claim']) {
    expect(upstream).not.toContain(secret);
    // The audit names the principal and its e-mail address; nothing else does.
    expect(stderrText().replace(/"(principal|email)":"[^"]*"/g, '')).not.toContain(secret);
  }
  await server.close();
  await issuer.close();
});
