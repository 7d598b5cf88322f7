import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type JWTPayload } from 'jose';
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

function doctor(env: Record<string, string>, token?: string): Promise<Report> {
  const args = token === undefined ? ['doctor', 'http'] : ['doctor', 'token'];
  return run(args, serverEnv(simulator.url, env), { input: token });
}

const stdioEnv = () => ({ ANTHROPIC_API_KEY: 'sk-ant-test-canary', ANTHROPIC_BASE_URL: simulator.url });

/** The built server with these arguments, outside of any folder with settings. */
async function run(
  args: readonly string[],
  env: Record<string, string>,
  { input = '', cwd = tmpdir() }: { readonly input?: string; readonly cwd?: string } = {},
): Promise<Report> {
  const child = spawn(process.execPath, [built('dist/main.js'), ...args], { env, cwd });
  let text = '';
  child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()));
  child.stdin.end(input);
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
  const asked: Record<string, unknown>[] = [];
  issuer.discovery = { code_challenge_methods_supported: ['S256'], registration_endpoint: `${issuer.url}/register` };
  issuer.register = ({ body }) => {
    asked.push(body);
    return { status: 400, error: 'invalid_redirect_uri' };
  };
  const { code, text } = await doctor(usual());
  expect(text).toMatch(
    /^ok +clients that register are registered at the provider \(asked .* leaves nothing behind\)$/m,
  );
  expect(text).toMatch(/^ok +clients can sign in at the provider$/m);
  expect(asked.map(({ scope }) => scope)).toEqual([undefined, 'openid email profile']);
  expect(asked.map(({ redirect_uris: uris }) => new URL((uris as string[])[0]!).hash)).toEqual(['#doctor', '#doctor']);
  expect(code).toBe(0);
});

describe('registration that is announced', () => {
  beforeEach(() => {
    issuer.discovery = { code_challenge_methods_supported: ['S256'], registration_endpoint: `${issuer.url}/register` };
  });

  it.each<[string, number, string, RegExp]>([
    [
      'to hosts that Keycloak trusts',
      403,
      "Policy 'Trusted Hosts' rejected request to client-registration service. Details: Host not trusted.",
      /403: "Policy 'Trusted Hosts'.*Trusted Hosts: add the hosts of the clients/,
    ],
    ['with an initial access token', 401, 'no token', /401: "no token"\. Registration needs an initial access token/],
    ['nowhere', 404, 'not found', /404: "not found"\. Allow dynamic client registration at the provider/],
  ])('and allowed only %s is a problem', async (_what, status, reason, problem) => {
    issuer.register = () => ({ status, error: 'refused', error_description: reason });
    const { code, text } = await doctor(usual());
    expect(text).toMatch(new RegExp(`^problem +clients that register are refused .* status ${problem.source}`, 'm'));
    expect(code).toBe(1);
  });

  it('and allowed without scopes only is a problem, with the scopes', async () => {
    issuer.register = ({ body: { scope } }) =>
      scope === undefined
        ? { status: 400, error: 'invalid_redirect_uri' }
        : { status: 403, error: 'insufficient_scope', error_description: 'Not permitted to use specified clientScope' };
    const { code, text } = await doctor(usual());
    expect(text).toMatch(/^ok +clients that register are registered/m);
    expect(text).toMatch(
      /^problem +clients that register with the scopes openid email profile .*Allowed Client Scopes/m,
    );
    expect(code).toBe(1);
  });

  it('is asked for without leaving a client behind where anything is registered', async () => {
    const clients = new Set<string>();
    issuer.register = ({ method, path }) => {
      const id = path.split('/').at(-1)!;
      if (method === 'DELETE') return { status: clients.delete(id) ? 204 : 404 };
      clients.add(`c${clients.size}`);
      const name = `c${clients.size - 1}`;
      const uri = `${issuer.url}/register/${name}`;
      return { status: 201, client_id: name, registration_client_uri: uri, registration_access_token: 't' };
    };
    const { code, text } = await doctor(usual());
    expect(text).toMatch(/^ok +clients that register are registered at the provider$/m);
    expect(clients).toEqual(new Set());
    expect(code).toBe(0);
  });

  it('names a client that it could not delete', async () => {
    issuer.register = () => ({ status: 201, client_id: 'left-over' });
    expect((await doctor(usual())).text).toMatch(/^note .*delete the client "left-over" there$/m);
  });
});

it('finds scopes that the provider does not list', async () => {
  issuer.discovery = { scopes_supported: ['openid', 'email', 'profile', 'mcp:use'] };
  const env = { MCP_REQUIRED_SCOPES: 'mcp:use', MCP_TIER_SCOPES: 'start=mcp:run' };
  expect((await doctor(usual(env))).text).toMatch(
    /^note +the provider does not list the scopes mcp:run, which clients/m,
  );
});

it('finds keys of another realm', async () => {
  const other = await TestIssuer.start();
  const { code, text } = await doctor(usual({ MCP_OIDC_JWKS_URL: `${other.url}/jwks` }));
  await other.close();
  expect(text).toMatch(/^problem +MCP_OIDC_JWKS_URL has none of the keys that http.* publishes at/m);
  expect(code).toBe(1);
});

it.each<[string, Record<string, string>, RegExp]>([
  [
    'an audience without /mcp',
    { MCP_PUBLIC_URL: REFUSED_URL, MCP_OIDC_AUDIENCE: REFUSED_URL },
    /clients ask for tokens for http.*\/mcp: add that/,
  ],
  ['an audience with a slash', { MCP_PUBLIC_URL: REFUSED_URL, MCP_OIDC_AUDIENCE: `${REFUSED_URL}/mcp/` }, /: add that/],
  [
    'a public URL with /mcp',
    { MCP_PUBLIC_URL: `${REFUSED_URL}/mcp` },
    /MCP_PUBLIC_URL: must be the address without \/mcp/,
  ],
  [
    'a token in quotation marks',
    { MCP_AUTH_MODE: 'bearer', MCP_BEARER_TOKEN: '"a-token-in-quotation-marks"' },
    /MCP_BEARER_TOKEN has quotation marks/,
  ],
  ['a list in quotation marks', { MCP_ALLOWED_AGENT_IDS: '"agent_a"' }, /MCP_ALLOWED_AGENT_IDS: has quotation marks/],
  [
    'a principal of a stranger',
    { MCP_OIDC_ALLOWED_PRINCIPALS: 'https://x.example.com|alice' },
    /"https:\/\/x\.example\.com\|alice" of MCP_OIDC_ALLOWED_PRINCIPALS matches nobody/,
  ],
  [
    'a binding of a stranger',
    { MCP_ROLE_BINDINGS: 'admin=subject:https://x.example.com|alice' },
    /matches nobody: MCP_OIDC_ISSUER does not have https:\/\/x/,
  ],
  [
    'a binding of a bearer token where there are none',
    { MCP_ROLE_BINDINGS: 'admin=token:ci' },
    /admin=token:ci of MCP_ROLE_BINDINGS matches nobody/,
  ],
  [
    'a binding of a group of bearer tokens',
    {
      MCP_AUTH_MODE: 'bearer',
      MCP_BEARER_TOKEN: 'a-token-that-is-long-enough',
      MCP_ROLE_BINDINGS: 'admin=group:staff',
    },
    /bearer tokens have no groups/,
  ],
  [
    'an agent that is not there',
    { MCP_ALLOWLIST_AGENTS_ACTIVE: 'true', MCP_ALLOWED_AGENT_IDS: 'agent_nowhere' },
    /"agent_nowhere" of MCP_ALLOWED_AGENT_IDS matches nothing: the workspace has no such agent/,
  ],
  [
    'an id in the wrong list',
    { MCP_ALLOWED_VAULT_IDS: 'env_01' },
    /"env_01" of MCP_ALLOWED_VAULT_IDS matches nothing: it is an id of another kind \(environment\)/,
  ],
])('finds %s', async (_what, env, problem) => {
  const { code, text } = await doctor(usual(env));
  expect(text).toMatch(new RegExp(`^problem .*${problem.source}`, 'm'));
  expect(code).toBe(1);
});

it('reports a list of agents that has no effect', async () => {
  expect((await doctor(usual({ MCP_ALLOWED_AGENT_IDS: 'agent_nowhere' }))).text).toMatch(
    /^note +MCP_ALLOWED_AGENT_IDS has no effect: MCP_ALLOWLIST_AGENTS_ACTIVE is not true$/m,
  );
});

describe('without an argument', () => {
  it('checks for stdio when nothing of HTTP is set', async () => {
    const { code, text } = await run(['doctor'], stdioEnv());
    expect(text).toMatch(/^note +nothing of HTTP is set, such as MCP_AUTH_MODE: checked for stdio/m);
    expect(text).toMatch(/^ok +the settings are valid for stdio$/m);
    expect(code).toBe(0);
  });

  it.each([
    ['a setting of HTTP', { MCP_PORT: '8000' }, /^problem +MCP_AUTH_MODE: is missing/m, 1],
    ['HTTP', { MCP_AUTH_MODE: 'bearer', MCP_BEARER_TOKEN: 'a-token-that-is-long-enough' }, /valid for http$/m, 0],
  ])('checks for HTTP when it finds %s', async (_what, env, line, expected) => {
    const { code, text } = await run(['doctor'], { ...stdioEnv(), ...env });
    expect(text).toMatch(line);
    expect(code).toBe(expected);
  });

  it('reads the .env of the HTTP server', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'doctor-'));
    writeFileSync(
      join(folder, '.env'),
      '\uFEFF# mine\nMCP_AUTH_MODE=bearer\nMCP_BEARER_TOKEN=a-token-that-is-long-enough\n',
    );
    expect((await run(['doctor'], stdioEnv(), { cwd: folder })).text).toMatch(/valid for http$/m);
    rmSync(folder, { recursive: true });
  });
});

it.each([[['doctor', 'everything']], [['doctor', 'http', 'now']]])('%j is no command', async (args) => {
  expect((await run(args, stdioEnv())).code).toBe(2);
});

it.each([
  ['OTEL_EXPORTER_OTLP_PROTOCOL', 'grpc'],
  ['OTEL_METRICS_EXPORTER', 'prometheus'],
])('%s=%s of somebody else is one line, and stops neither the doctor nor the stdio server', async (name, value) => {
  const checked = await run(['doctor', 'stdio'], { ...stdioEnv(), [name]: value });
  expect(checked.text).toMatch(new RegExp(`^note +traces and metrics are off: ${name} must be`, 'm'));
  expect(checked.code).toBe(0);
  const served = await run(['stdio'], { ...stdioEnv(), [name]: value, MCP_LOG_LEVEL: 'warn' });
  expect(served.code).toBe(0);
  expect(served.text.trim().split('\n')).toEqual([expect.stringContaining(`traces and metrics are off: ${name}`)]);
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
    /^ok +the token is accepted: "alice" of http.*, e-mail "a@example.com"; roles \["operator"\], groups \["staff"\], scopes \["mcp","x"\]$/m,
  );
  expect(text).toMatch(/^note +tools of the tier start need the scopes run$/m);
  expect(text).not.toContain('canary');
  expectHidden(text, token);
  expect(code).toBe(0);
});

it.each<[string, Record<string, string>, JWTPayload, RegExp, number]>([
  [
    'a bound role',
    { MCP_ROLE_BINDINGS: 'viewer=group:staff' },
    { groups: ['staff'] },
    /^ok +the caller has the roles viewer$/m,
    0,
  ],
  [
    'no bound role',
    { MCP_ROLE_BINDINGS: 'viewer=group:staff' },
    {},
    /^problem +no role is bound to this caller, who therefore/m,
    1,
  ],
  [
    'a group as a path',
    { MCP_ROLE_BINDINGS: 'viewer=group:staff' },
    { groups: ['/org/staff'] },
    /^problem .* are paths, so write group:\/org\/staff$/m,
    1,
  ],
  [
    'no required scope',
    { MCP_REQUIRED_SCOPES: 'mcp:use' },
    {},
    /^problem +the caller may call no tool; the token needs scopes: mcp:use$/m,
    1,
  ],
  [
    'a scope of a tier it has no role for',
    { MCP_ROLE_BINDINGS: 'viewer=*', MCP_TIER_SCOPES: 'discover=a,observe=a' },
    {},
    /^problem +the caller may call no tool; the token needs scopes: a$/m,
    1,
  ],
])('says what the caller of an accepted token may do: %s', async (_what, env, claims, line, expected) => {
  const { code, text } = await doctor(usual(env), await issuer.token(claims));
  expect(text).toMatch(/^ok +the token is accepted/m);
  expect(text).toMatch(line);
  expect(code).toBe(expected);
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
