import { Simulator } from '../simulator/index.js';
import { oidcEnv, TestIssuer } from '../support/issuer.js';
import { call, type RawAnswer, send } from '../support/rpc.js';
import { serverEnv, startServer, type TestServer } from '../support/server.js';

/** The documents and headers by which a client finds out how to sign in, byte for byte. */

const ISSUER = 'https://idp.example.com/realms/company';
const PUBLIC = 'https://mcp.example.com';
const RESOURCE = '/.well-known/oauth-protected-resource';

let server: TestServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

async function start(env: Record<string, string> = {}): Promise<TestServer> {
  server = await startServer(serverEnv('http://127.0.0.1:1', { ...oidcEnv(ISSUER), ...env }));
  return server;
}
const get = (path: string, headers: Record<string, string | undefined> = {}): Promise<RawAnswer> =>
  send(server!.url, {
    method: 'GET',
    path,
    headers: { authorization: undefined, 'content-type': undefined, ...headers },
  });
const challengeOf = async (headers: Record<string, string | undefined> = {}) =>
  (await send(server!.url, { body: call('ping'), headers: { authorization: undefined, ...headers } })).headers[
    'www-authenticate'
  ];

describe('protected-resource metadata', () => {
  it.each(['/mcp', ''])('is served at the well-known path with the suffix %j', async (suffix) => {
    await start({ MCP_PUBLIC_URL: PUBLIC });
    const answer = await get(`${RESOURCE}${suffix}`);
    expect(answer.status).toBe(200);
    expect(answer.text).toBe(
      `{"resource":"${PUBLIC}/mcp","authorization_servers":["${ISSUER}"],"scopes_supported":["openid","email","profile"],"bearer_methods_supported":["header"],"resource_name":"Managed Agent Control"}`,
    );
    expect(answer.headers).toMatchObject({
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store',
      'access-control-allow-origin': '*',
    });
  });

  it('names issuers exactly, and every scope there is', async () => {
    await start({
      MCP_OIDC_ISSUER: 'https://a.auth0.com/,https://b.example.com',
      MCP_OAUTH_SCOPES: 'openid',
      MCP_REQUIRED_SCOPES: 'mcp:use',
      MCP_TIER_SCOPES: 'start=mcp:run,destructive=mcp:admin,interact=mcp:run',
    });
    expect((await get(RESOURCE)).json).toMatchObject({
      authorization_servers: ['https://a.auth0.com/', 'https://b.example.com'],
      scopes_supported: ['openid', 'mcp:use', 'mcp:run', 'mcp:admin'],
    });
  });

  it('follows a public URL with a path', async () => {
    await start({ MCP_PUBLIC_URL: 'https://example.com/agents/' });
    const answer = await get(`${RESOURCE}/agents/mcp`);
    expect(answer.json).toMatchObject({ resource: 'https://example.com/agents/mcp' });
    expect(await challengeOf()).toContain(
      'resource_metadata="https://example.com/.well-known/oauth-protected-resource/agents/mcp"',
    );
  });

  it.each(['/mcp/', '/mcp/x', '/MCP', '/other', '/', '//mcp', '/mcp%2f', '/agents/mcp', 'x'])(
    'is not at %j: public paths match exactly',
    async (suffix) => {
      await start({ MCP_PUBLIC_URL: PUBLIC });
      expect(await get(`${RESOURCE}${suffix}`)).toMatchObject({ status: 404, json: { jsonrpc: '2.0' } });
    },
  );

  it.each(['bearer', ''])('does not exist in mode %j', async (mode) => {
    await start({
      MCP_AUTH_MODE: mode,
      MCP_BEARER_TOKEN: 'a-token-that-is-long-enough',
      MCP_ALLOW_INSECURE_NO_AUTH: 'true',
    });
    expect(await get(RESOURCE)).toMatchObject({ status: 404 });
    expect(await get('/.well-known/oauth-authorization-server')).toMatchObject({ status: 404 });
  });

  it('leaves every other path closed', async () => {
    await start();
    for (const path of ['/mcp', '/mcp/.well-known/oauth-protected-resource', '/.well-known/../mcp']) {
      const answer = await send(server!.url, { path, body: call('ping'), headers: { authorization: undefined } });
      expect([401, 404]).toContain(answer.status);
    }
    for (const path of ['/authorize', '/token', '/register', '/.well-known/openid-configuration']) {
      expect((await get(path)).status).toBe(404);
      expect((await send(server!.url, { path, body: {} })).status).toBe(404);
    }
  });
});

describe('the challenge', () => {
  it('of a request without a token tells where to begin and what to ask for', async () => {
    await start({ MCP_PUBLIC_URL: PUBLIC, MCP_REQUIRED_SCOPES: 'mcp:use' });
    expect(await challengeOf()).toBe(
      'Bearer realm="managed-agent-control", scope="openid email profile mcp:use", resource_metadata="https://mcp.example.com/.well-known/oauth-protected-resource/mcp"',
    );
  });

  it('of a request with a bad one says so', async () => {
    await start({ MCP_PUBLIC_URL: PUBLIC });
    expect(await challengeOf({ authorization: 'Bearer x' })).toBe(
      'Bearer realm="managed-agent-control", error="invalid_token", scope="openid email profile", resource_metadata="https://mcp.example.com/.well-known/oauth-protected-resource/mcp"',
    );
  });

  it('names no scopes when MCP_OAUTH_SCOPES is set but empty, and neither does the document', async () => {
    await start({ MCP_PUBLIC_URL: PUBLIC, MCP_OAUTH_SCOPES: '' });
    expect(await challengeOf()).toBe(
      'Bearer realm="managed-agent-control", resource_metadata="https://mcp.example.com/.well-known/oauth-protected-resource/mcp"',
    );
    expect((await get(`${RESOURCE}/mcp`)).json).not.toHaveProperty('scopes_supported');
  });

  it('at the read-only address leads to the document of exactly that address', async () => {
    await start({ MCP_PUBLIC_URL: PUBLIC });
    const { headers } = await send(server!.url, {
      path: '/mcp/readonly',
      body: call('ping'),
      headers: { authorization: undefined },
    });
    expect(headers['www-authenticate']).toContain(`resource_metadata="${PUBLIC}${RESOURCE}/mcp/readonly"`);
    expect((await get(`${RESOURCE}/mcp/readonly`)).json).toMatchObject({ resource: `${PUBLIC}/mcp/readonly` });
    expect((await get(`${RESOURCE}/mcp`)).json).toMatchObject({ resource: `${PUBLIC}/mcp` });
  });

  it('comes before anything of MCP is looked at', async () => {
    await start();
    for (const body of ['', '[]', '{"jsonrpc":"2.0"}', JSON.stringify(call('no/such'))]) {
      const answer = await send(server!.url, { body, headers: { authorization: undefined, accept: 'text/html' } });
      if (body !== '') expect(answer.status).toBe(401);
    }
  });
});

describe('the address clients see', () => {
  const resource = async (headers: Record<string, string>) => (await get(RESOURCE, headers)).json.resource as string;
  const forwarded = { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'mcp.example.com' };

  it('is the one of the request, when nothing else is known', async () => {
    await start();
    expect(await resource({ host: 'localhost:9000' })).toBe('http://localhost:9000/mcp');
  });

  it('is not what a stranger claims to have forwarded', async () => {
    await start();
    expect(await resource({ host: 'localhost', ...forwarded })).toBe('http://localhost/mcp');
    expect(await challengeOf({ host: 'localhost', ...forwarded })).toContain('="http://localhost/.well-known');
  });

  it.each(['127.0.0.1', '127.0.0.0/8', '::1,127.0.0.1', '0.0.0.0/0'])(
    'is what the trusted proxy %s says',
    async (proxies) => {
      await start({ MCP_TRUSTED_PROXIES: proxies });
      expect(await resource({ host: 'localhost', ...forwarded })).toBe('https://mcp.example.com/mcp');
      expect(await resource({ host: 'localhost', 'x-forwarded-proto': 'https' })).toBe('https://localhost/mcp');
    },
  );

  it('is what the nearest proxy appended, not what came before it', async () => {
    await start({ MCP_TRUSTED_PROXIES: '127.0.0.1' });
    const headers = { 'x-forwarded-host': 'evil.example, mcp.example.com', 'x-forwarded-proto': 'http, https' };
    expect(await resource(headers)).toBe('https://mcp.example.com/mcp');
  });

  it('is not what another proxy says', async () => {
    await start({ MCP_TRUSTED_PROXIES: '10.0.0.0/8,fd00::/8' });
    expect(await resource({ host: 'localhost', ...forwarded })).toBe('http://localhost/mcp');
  });

  it('is MCP_PUBLIC_URL above all', async () => {
    await start({ MCP_PUBLIC_URL: 'https://public.example.com', MCP_TRUSTED_PROXIES: '127.0.0.1' });
    expect(await resource({ host: 'localhost', ...forwarded })).toBe('https://public.example.com/mcp');
  });

  it.each(['a"b', 'a\\b', 'a b', '"', 'user@host', 'x/../y?z#', '%'])(
    'cannot be used to write a header (%j)',
    async (host) => {
      await start();
      const challenge = await challengeOf({ host });
      expect(challenge).toMatch(/^[^"]*("[^"\\\s]*"(, \w+=)?|"openid email profile", \w+=)+$/);
    },
  );
});

describe('scopes', () => {
  let simulator: Simulator;
  let issuer: TestIssuer;
  beforeAll(async () => {
    simulator = await Simulator.start({ fixtures: true });
    issuer = await TestIssuer.start();
  });
  afterAll(async () => {
    await simulator.close();
    await issuer.close();
  });
  beforeEach(async () => {
    server = await startServer(
      serverEnv(simulator.url, {
        ...oidcEnv(issuer.url),
        MCP_PUBLIC_URL: PUBLIC,
        MCP_REQUIRED_SCOPES: 'mcp:use',
        MCP_TIER_SCOPES: 'start=mcp:run,destructive=mcp:run,destructive=mcp:admin',
      }),
    );
  });

  const tool = (name: string, args: object = {}) => call('tools/call', { name, arguments: args });
  const ask = async (scope: string, body: object | string) =>
    send(server!.url, {
      body,
      headers: { authorization: `Bearer ${await issuer.token({ scope })}`, host: 'localhost' },
    });
  const stepUp = (scopes: string) =>
    `Bearer realm="managed-agent-control", error="insufficient_scope", scope="${scopes}", resource_metadata="${PUBLIC}${RESOURCE}/mcp"`;

  it('a missing one is 403 and names all that the call needs', async () => {
    const before = simulator.requests.length;
    const answer = await ask('mcp:use', tool('session_delete', { session_id: 'sesn_1' }));
    expect(answer).toMatchObject({ status: 403, json: { jsonrpc: '2.0', error: { code: -32000 } } });
    expect(answer.headers['www-authenticate']).toBe(stepUp('mcp:use mcp:run mcp:admin'));
    expect(simulator.requests).toHaveLength(before);
  });

  it.each<[string, object, number]>([
    ['nothing', call('ping'), 403],
    ['other', call('tools/list'), 403],
    ['mcp:use', call('ping'), 200],
    ['mcp:use', call('tools/list'), 200],
    ['mcp:use', tool('agent_list'), 200],
    ['mcp:run', tool('agent_list'), 403],
    ['mcp:use', tool('session_start'), 403],
    ['mcp:use mcp:run', tool('session_start'), 200],
    ['mcp:use mcp:run', tool('session_delete'), 403],
    ['mcp:use mcp:run mcp:admin', tool('session_delete'), 200],
    ['mcp:use', tool('no_such_tool'), 200],
    ['mcp:use', tool('__proto__'), 200],
    ['mcp:use', [tool('agent_list'), tool('session_delete')], 403],
    ['mcp:use', [call('ping')], 200],
  ])('with %j, %j is %d', async (scope, body, status) => {
    expect((await ask(scope, body)).status).toBe(status);
  });

  it.each(['null', '"tools/call"', '7', '[null]', '{"method":"tools/call","params":null}', '{"method":"tools/call"}'])(
    'a body like %s is answered by MCP',
    async (body) => {
      const answer = await ask('mcp:use', body);
      expect(answer.json).toMatchObject({ jsonrpc: '2.0' });
      expect(answer.status).toBeLessThan(500);
      expect(answer.status).not.toBe(403);
    },
  );
});
