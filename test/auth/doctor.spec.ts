import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Simulator } from '../simulator/index.js';
import { issuerKey, oidcEnv, TestIssuer } from '../support/issuer.js';
import { built } from '../support/built.js';
import { atNumberedPort, REFUSED_URL } from '../support/ports.js';
import { serverEnv, startServer } from '../support/server.js';

let simulator: Simulator;
let issuer: TestIssuer;
beforeAll(async () => {
  simulator = await Simulator.start({ fixtures: true });
});
beforeEach(async () => {
  issuer = await TestIssuer.start();
});
afterEach(() => issuer.close());
afterAll(() => simulator.close());

interface Report {
  readonly code: number | null;
  readonly text: string;
}

async function doctor(env: Record<string, string>, token?: string): Promise<Report> {
  const args = token === undefined ? ['doctor', 'http'] : ['doctor', 'token'];
  const child = spawn(process.execPath, [built('dist/main.js'), ...args], { env: serverEnv(simulator.url, env) });
  let text = '';
  child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()));
  child.stdin.end(token ?? '');
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, text };
}
const usual = (env: Record<string, string> = {}) => oidcEnv(issuer.url, env);

it('finds a provider whose keys can be fetched, and what clients will miss', async () => {
  const { code, text } = await doctor(usual());
  expect(text).toMatch(/^ok +http:\/\/127\.0\.0\.1:\d+ has 1 signing keys$/m);
  expect(text).toMatch(/^note +the provider does not announce PKCE with S256/m);
  expect(text).toMatch(/^note +clients cannot register at the provider/m);
  expect(text).toMatch(/^note +MCP_PUBLIC_URL is not set/m);
  expect(code).toBe(0);
});

it('finds a provider that has everything', async () => {
  issuer.discovery = { code_challenge_methods_supported: ['S256'], registration_endpoint: `${issuer.url}/register` };
  expect((await doctor(usual())).text).toMatch(/^ok +clients can register and sign in at the provider$/m);
});

it('finds an issuer that is not written exactly', async () => {
  issuer.discovery = { issuer: `${issuer.url}/` };
  const { code, text } = await doctor(usual());
  expect(text).toMatch(/^problem +no signing key could be fetched from/m);
  expect(text).toMatch(
    /^problem +discovery of .* failed: .*MCP_OIDC_ISSUER must be the issuer exactly, trailing slash included/m,
  );
  expect(code).toBe(1);
});

it('finds a provider that does not answer', async () => {
  const { code, text } = await doctor(oidcEnv('http://127.0.0.1:1'));
  expect(text).toMatch(/^problem +no signing key could be fetched from http:\/\/127\.0\.0\.1:1/m);
  expect(code).toBe(1);
});

it('finds a facade before a provider that names itself in callbacks', async () => {
  const env = { MCP_OAUTH_FACADE: 'true', MCP_OAUTH_CLIENT_ID: 'client' };
  expect((await doctor(usual(env))).text).toMatch(/^ok +clients sign in through the facade$/m);
  issuer.discovery = { authorization_response_iss_parameter_supported: true };
  expect((await doctor(usual(env))).text).toMatch(/^problem .*RFC 9207.*without MCP_OAUTH_FACADE$/m);
});

it('fetches the published documents as a client would', async () => {
  expect((await doctor(usual({ MCP_PUBLIC_URL: REFUSED_URL }))).text).toMatch(
    /^note +http.*oauth-protected-resource\/mcp cannot be reached from here .*ECONNREFUSED/m,
  );
  // The server has to be told its own address.
  const { server, env } = await atNumberedPort(async (port) => {
    const env = usual({ MCP_PUBLIC_URL: `http://127.0.0.1:${port}` });
    return { server: await startServer(serverEnv(simulator.url, env), port), env };
  });
  const up = await doctor(env);
  expect(up.text).toMatch(/^ok +http.*oauth-protected-resource\/mcp is what clients expect$/m);
  expect(up.text).toMatch(/^ok +http.*\/mcp asks for authentication$/m);
  await server.close();
  const other = await startServer(serverEnv(simulator.url));
  const wrong = await doctor(usual({ MCP_PUBLIC_URL: other.url }));
  expect(wrong.text).toMatch(/^problem .*answers with status 404 and not with this server's document/m);
  expect(wrong.text).toMatch(/^problem .*\/mcp answers with status 401 and without the challenge of this server/m);
  await other.close();
});

it('says what a good token says, and who it is', async () => {
  const token = await issuer.token({
    email: 'a@example.com',
    roles: ['operator'],
    groups: ['staff'],
    scp: ['x'],
    nickname: 'canary',
  });
  const { code, text } = await doctor(usual({ MCP_TIER_SCOPES: 'start=run' }), `Bearer ${token}\n`);
  expect(text).toMatch(
    /^note +the token contains: alg "RS256", kid "first", typ nothing; iss "http.*aud "mcp".*expires 20\d\d-/m,
  );
  expect(text).toMatch(
    /^ok +the token is accepted: "alice" of http.*, e-mail "a@example.com"; roles \["operator"\], groups \["staff"\], scopes \["x"\]$/m,
  );
  expect(text).toMatch(/^note +tools of the tier start need the scopes run$/m);
  expect(text).not.toContain('canary');
  expectHidden(text, token);
  expect(code).toBe(0);
});

it.each<[string, () => Promise<string> | string, RegExp]>([
  [
    'for another audience',
    () => issuer.token({ aud: 'other' }),
    /is for \["other"\], not for one of \["mcp"\]\. Add the audience/,
  ],
  [
    'of another issuer',
    () => issuer.token({ iss: 'https://other.example.com' }),
    /"https:\/\/other.example.com" is not trusted\. Set MCP_OIDC_ISSUER/,
  ],
  ['that is an ID token', () => issuer.token({ token_use: 'id' }), /Send the access token, not the ID token/],
  [
    'that expired',
    () => issuer.token({ exp: 1 }),
    /the token is refused: the token expired at 1970-\S+\. Get a new token/,
  ],
  [
    'with an unknown key',
    async () => issuer.token({}, {}, await issuerKey('other')),
    /has no RS256 key "other"\. The token may be/,
  ],
  ['that is opaque', () => 'opaque-canary-token', /The token is opaque: have the provider issue JWT/],
])('says why a token is refused: one %s', async (_what, make, reason) => {
  const token = await make();
  const { code, text } = await doctor(usual(), token);
  expect(text).toMatch(/^problem +the token is refused: /m);
  expect(text).toMatch(reason);
  expectHidden(text, token);
  expect(code).toBe(1);
});

it('judges a handed-out token as well, and shows none', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'doctor-'));
  const file = join(folder, 'tokens.json');
  writeFileSync(
    file,
    JSON.stringify({ tokens: [{ name: 'ci', token: 'canary-token-of-the-ci', roles: ['operator'] }] }),
  );
  const env = usual({ MCP_AUTH_MODE: 'oidc,bearer', MCP_BEARER_TOKENS_FILE: file });
  const good = await doctor(env, 'canary-token-of-the-ci');
  expect(good.text).toMatch(/^ok +the token is accepted: "ci" of bearer; roles \["operator"\]/m);
  const bad = await doctor(env, 'canary-token-of-nobody');
  expect(bad.text).toMatch(/^problem +the token is refused: unknown bearer token\. Send the token of/m);
  expect(good.text + bad.text).not.toContain('canary');
  rmSync(folder, { recursive: true });
});

function expectHidden(text: string, token: string): void {
  for (const part of [token, ...token.split('.').filter(({ length }) => length > 5)]) expect(text).not.toContain(part);
  expect(text).not.toContain('sk-ant-test-canary');
}

it.each([
  ['a page of a portal', 200, 'text/html', '<html>Sign in</html>', /not the Managed Agents API .*ANTHROPIC_BASE_URL/],
  ['JSON of something else', 200, 'application/json', '{"ok":true}', /not the Managed Agents API/],
  ['a redirect', 302, 'text/html', '', /redirect .*ANTHROPIC_BASE_URL/],
  ['no such path', 404, 'application/json', '{"detail":"Not Found"}', /ANTHROPIC_BASE_URL: without \/v1/],
])('finds an address that is not the API: %s', async (_what, status, type, body, problem) => {
  const portal = createServer((_request, response) => {
    response.writeHead(status, { 'content-type': type, location: 'https://login.example/' }).end(body);
  }).listen(0, '127.0.0.1');
  await once(portal, 'listening');
  const { port } = portal.address() as AddressInfo;
  const { code, text } = await doctor(usual({ ANTHROPIC_BASE_URL: `http://127.0.0.1:${port}` }));
  portal.closeAllConnections();
  portal.close();
  expect(text).toMatch(new RegExp(`^problem .*${problem.source}`, 'm'));
  expect(code).toBe(1);
});
