import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { oidcEnv } from '../support/issuer.js';
import { type RawAnswer, send } from '../support/rpc.js';
import { serverEnv, startServer, type TestServer } from '../support/server.js';
import { logMessages, stderrText } from '../support/stderr.js';

/** What strangers may try at the public endpoints of the facade. Every attempt is refused and nothing of it is passed on. */

interface Seen {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}
let provider: Server;
let url: string;
const seen: Seen[] = [];
/** How the provider's token endpoint answers. */
let answer: { status: number; headers: Record<string, string>; body: string };
let server: TestServer;

beforeAll(async () => {
  provider = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const path = request.url ?? '';
      if (path.startsWith('/.well-known')) {
        const document = {
          issuer: url,
          jwks_uri: `${url}/jwks`,
          authorization_endpoint: `${url}/authorize?tenant=ours`,
          token_endpoint: `${url}/token`,
          scopes_supported: ['openid', 'offline_access'],
        };
        response.end(JSON.stringify(document));
        return;
      }
      if (path === '/token') {
        seen.push({ path, headers: request.headers, body });
        response.writeHead(answer.status, answer.headers);
        response.end(answer.body);
        return;
      }
      response.end('{"keys":[]}');
    });
  });
  await new Promise<void>((resolve) => provider.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(provider.address() as AddressInfo).port}`;
  const env = {
    MCP_OAUTH_FACADE: 'true',
    MCP_OAUTH_CLIENT_ID: 'company',
    MCP_OAUTH_CLIENT_SECRET: 'canary-client-secret',
    MCP_PUBLIC_URL: 'https://mcp.example.com',
    MCP_LOG_LEVEL: 'warn',
  };
  server = await startServer(serverEnv('http://127.0.0.1:1', oidcEnv(url, env)));
});
afterAll(async () => {
  await server.close();
  await new Promise<void>((resolve) => {
    provider.close(() => resolve());
    provider.closeAllConnections();
  });
});
beforeEach(() => {
  seen.length = 0;
  answer = {
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: '{"access_token":"a","token_type":"Bearer"}',
  };
});

const CLAUDE = 'https://claude.ai/api/mcp/auth_callback';
const good = {
  client_id: 'company',
  redirect_uri: CLAUDE,
  response_type: 'code',
  state: 'st/ate+with special&chars=1',
  code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
  code_challenge_method: 'S256',
  scope: 'openid email',
  resource: 'https://mcp.example.com/mcp',
};
type Form = Record<string, string | undefined>;
const encode = (form: Form) =>
  new URLSearchParams(
    Object.entries(form).filter((entry): entry is [string, string] => entry[1] !== undefined),
  ).toString();
const open = { authorization: undefined };
const authorize = (change: Form = {}, extra = ''): Promise<RawAnswer> =>
  send(server.url, { method: 'GET', path: `/authorize?${encode({ ...good, ...change })}${extra}`, headers: open });
const form = { ...open, 'content-type': 'application/x-www-form-urlencoded' };
const token = (body: string, headers: Record<string, string | undefined> = {}): Promise<RawAnswer> =>
  send(server.url, { path: '/token', body, headers: { ...form, ...headers } });
const code = {
  grant_type: 'authorization_code',
  code: 'canary-code',
  code_verifier: 'v'.repeat(43),
  client_id: 'company',
  redirect_uri: CLAUDE,
};

function expectRefused(refused: RawAnswer, error?: string): void {
  expect(refused.status).toBeGreaterThanOrEqual(400);
  expect(refused.status).toBeLessThan(500);
  expect(refused.headers.location).toBeUndefined();
  if (error !== undefined) expect(refused.json).toEqual({ error, error_description: expect.any(String) });
  expect(refused.text).not.toMatch(/evil|canary/);
  expect(seen).toEqual([]);
}

describe('metadata', () => {
  it.each(['oauth-authorization-server', 'openid-configuration'])(
    '%s is about this server, with S256',
    async (name) => {
      const document = await send(server.url, { method: 'GET', path: `/.well-known/${name}`, headers: open });
      expect(document.json).toEqual({
        issuer: 'https://mcp.example.com',
        authorization_endpoint: 'https://mcp.example.com/authorize',
        token_endpoint: 'https://mcp.example.com/token',
        registration_endpoint: 'https://mcp.example.com/register',
        jwks_uri: `${url}/jwks`,
        scopes_supported: ['openid', 'email', 'profile', 'offline_access'],
        response_types_supported: ['code'],
        grant_types_supported: ['authorization_code', 'refresh_token'],
        code_challenge_methods_supported: ['S256'],
        token_endpoint_auth_methods_supported: ['none', 'client_secret_basic', 'client_secret_post'],
        ...(name === 'openid-configuration' && {
          subject_types_supported: ['public'],
          id_token_signing_alg_values_supported: expect.arrayContaining(['RS256']),
        }),
      });
    },
  );

  it('names this server as the authorization server', async () => {
    const path = '/.well-known/oauth-protected-resource/mcp';
    const document = await send(server.url, { method: 'GET', path, headers: open });
    expect(document.json.authorization_servers).toEqual(['https://mcp.example.com']);
  });
});

describe('/authorize', () => {
  it('keeps the query and sends the user to the provider, and nowhere else', async () => {
    const redirect = await authorize();
    expect(redirect.status).toBe(302);
    const location = new URL(redirect.headers.location!);
    expect(`${location.origin}${location.pathname}`).toBe(`${url}/authorize`);
    expect(Object.fromEntries(location.searchParams)).toEqual({ tenant: 'ours', ...good });
  });

  it.each([
    'https://claude.com/api/mcp/auth_callback',
    'http://localhost/callback',
    'http://localhost:33418/callback',
    'http://127.0.0.1:1/callback',
    'http://localhost:6274/oauth/callback',
    'http://127.0.0.1:3334/oauth/callback',
  ])('allows clients at %s', async (uri) => {
    expect(await authorize({ redirect_uri: uri })).toMatchObject({ status: 302 });
  });

  it.each([
    ['unregistered', 'https://evil.example/callback'],
    ['absent', undefined],
    ['empty', ''],
    ['with a path behind', `${CLAUDE}/evil`],
    ['with a query behind', `${CLAUDE}?next=https://evil.example`],
    ['with a fragment', `${CLAUDE}#evil`],
    ['with a longer name', `${CLAUDE}evil`],
    ['a prefix of the allowed one', 'https://claude.ai/api/mcp/'],
    ['the allowed one as prefix of a host', 'https://claude.ai.evil.example/api/mcp/auth_callback'],
    ['the allowed host as user', 'https://claude.ai@evil.example/api/mcp/auth_callback'],
    ['the allowed host as user and password', 'https://claude.ai:x@evil.example/api/mcp/auth_callback'],
    ['a subdomain', 'https://evil.claude.ai/api/mcp/auth_callback'],
    ['the allowed one as suffix', `https://evil.example/${CLAUDE}`],
    ['over plain http', CLAUDE.replace('https', 'http')],
    ['with a port', 'https://claude.ai:444/api/mcp/auth_callback'],
    ['with its standard port', 'https://claude.ai:443/api/mcp/auth_callback'],
    ['in other case', 'https://CLAUDE.ai/api/mcp/auth_callback'],
    ['in other case of the path', 'https://claude.ai/API/mcp/auth_callback'],
    ['with dots in the path', 'https://claude.ai/evil/../api/mcp/auth_callback'],
    ['with an encoded path', 'https://claude.ai/api/mcp/auth%5Fcallback'],
    ['with a backslash', 'https://evil.example\\@claude.ai/api/mcp/auth_callback'],
    ['with a tab', `https://claude.ai\t/api/mcp/auth_callback`],
    ['with a space before', ` ${CLAUDE}`],
    ['with a line break behind', `${CLAUDE}\r\nLocation: https://evil.example`],
    ['with a NUL behind', `${CLAUDE}\0`],
    ['with a trailing dot in the host', 'https://claude.ai./api/mcp/auth_callback'],
    ['without scheme', '//claude.ai/api/mcp/auth_callback'],
    ['a script', 'javascript:alert(1)//claude.ai/api/mcp/auth_callback'],
    ['data', 'data:text/html,evil'],
    ['a loopback host as user', 'http://localhost:1@evil.example/callback'],
    ['a loopback name as prefix', 'http://localhost.evil.example/callback'],
    ['a loopback address as prefix', 'http://127.0.0.1.evil.example/callback'],
    ['a loopback address written otherwise', 'http://2130706433/callback'],
    ['another loopback address', 'http://127.0.0.2/callback'],
    ['a loopback address with another path', 'http://localhost:1/evil'],
    ['a loopback address over https', 'https://localhost:1/callback'],
    ['a loopback address with a port that is none', 'http://localhost:port/callback'],
    ['a loopback address with a password', 'http://localhost:1:2/callback'],
  ])('refuses a redirect address %s', async (_what, uri) => {
    expectRefused(await authorize({ redirect_uri: uri }), 'invalid_request');
  });

  it.each(['redirect_uri', 'client_id', 'code_challenge_method', 'state', 'response_type'])(
    'refuses two values of %s, of which the provider might take the other',
    async (name) => {
      expectRefused(await authorize({}, `&${name}=evil`), 'invalid_request');
      const value = String((good as Form)[name]);
      expectRefused(await authorize({}, `&${name}=${encodeURIComponent(value)}`), 'invalid_request');
    },
  );

  it.each([
    ...['redirect_uri[]', 'redirect_uri[0]', 'REDIRECT_URI', 'redirect_uri\0', 'redirect_uri ', ' redirect_uri'],
    ...[
      ';redirect_uri',
      'redirect.uri',
      'redirect-uri',
      'redirectUri',
      'Redirect_Uri',
      'redirect__uri',
      'redirect_urı',
    ],
    ...['CLIENT_ID', 'Response_Type', 'code-challenge-method', 'REQUEST_URI', 'Request', 'request_uri[]', 'Scope'],
  ])('passes on no value of the name %j, which the provider might take for another', async (name) => {
    const redirect = await authorize({}, `&${encodeURIComponent(name)}=evil`);
    const { searchParams } = new URL(redirect.headers.location!);
    expect(Object.fromEntries(searchParams)).toEqual({ tenant: 'ours', ...good });
  });

  it('passes on what it does not know, in one spelling', async () => {
    const redirect = await authorize({}, '&login_hint=a&x-client-SKU=b&kc_idp_hint=c&LOGIN-HINT=evil&Kc_Idp_Hint=evil');
    const { tenant: _tenant, ...passed } = Object.fromEntries(new URL(redirect.headers.location!).searchParams);
    expect(passed).toEqual({ ...good, login_hint: 'a', 'x-client-SKU': 'b', kc_idp_hint: 'c' });
  });

  it('logs which address was refused, and the setting', async () => {
    await authorize({ redirect_uri: 'cursor://anysphere.cursor-mcp/oauth/callback' });
    expect(logMessages()).toContain(
      'sign-in refused: the redirect address "cursor://anysphere.cursor-mcp/oauth/callback" is not in MCP_OAUTH_REDIRECT_URIS',
    );
  });

  it.each([
    ['request', 'eyJhbGciOiJub25lIn0.e30.'],
    ['request_uri', 'https://evil.example/request'],
  ])('refuses %s, which could bring a redirect address of its own', async (name, value) => {
    expectRefused(await authorize({ [name]: value }), 'request_not_supported');
  });

  it.each<[string, Form]>([
    ['without a challenge', { code_challenge: undefined, code_challenge_method: undefined }],
    ['with a challenge and no method, which means plain', { code_challenge_method: undefined }],
    ['with the method plain', { code_challenge_method: 'plain' }],
    ['with the method s256', { code_challenge_method: 's256' }],
    ['with a method and no challenge', { code_challenge: undefined }],
    ['with an empty challenge', { code_challenge: '' }],
    ['with a challenge that is no SHA-256', { code_challenge: 'short' }],
  ])('PKCE downgrade: refuses a request %s', async (_what, change) => {
    expectRefused(await authorize(change), 'invalid_request');
  });

  it.each(['token', 'id_token', 'code token', 'none', '', undefined])('refuses response_type %j', async (type) => {
    expectRefused(await authorize({ response_type: type }), 'unsupported_response_type');
  });

  it.each(['evil', '', undefined, 'company ', 'COMPANY', 'company,evil'])('refuses the client %j', async (id) => {
    expectRefused(await authorize({ client_id: id }), 'invalid_client');
  });

  it('wrong state: passes it on byte for byte, so that the client sees whether it is its own', async () => {
    for (const state of ['', 'ä%00\u2028"<script>', 'a'.repeat(2000)]) {
      const { searchParams } = new URL((await authorize({ state })).headers.location!);
      expect(searchParams.get('state')).toBe(state);
    }
  });

  it('refuses more parameters than anyone needs', async () => {
    const many = Array.from({ length: 60 }, (_, n) => `&x${n}=1`).join('');
    expectRefused(await authorize({}, many), 'invalid_request');
  });

  it('is not at neighbouring paths, nor by other methods', async () => {
    for (const path of ['/authorize/', '/authorizeX', '/Authorize', '/authorize/x', '/token/', '/registerX']) {
      expect(await send(server.url, { method: 'GET', path, headers: open })).toMatchObject({ status: 404 });
    }
    expect(await send(server.url, { method: 'POST', path: '/authorize', body: {}, headers: open })).toMatchObject({
      status: 404,
    });
    expect(await send(server.url, { method: 'GET', path: '/token', headers: open })).toMatchObject({ status: 404 });
  });
});

describe('/token', () => {
  it('passes the form on with the secret, and only status and JSON back', async () => {
    answer.headers = {
      'content-type': 'application/json',
      'set-cookie': 'sso=canary',
      'x-internal': 'canary',
      server: 'canary',
    };
    const passed = await token(encode(code), { cookie: 'canary=1', 'x-forwarded-for': 'canary' });
    expect(passed).toMatchObject({ status: 200, json: { access_token: 'a', token_type: 'Bearer' } });
    expect(JSON.stringify(passed.headers)).not.toContain('canary');
    expect(passed.headers['cache-control']).toBe('no-store');
    expect(Object.fromEntries(new URLSearchParams(seen[0]!.body))).toEqual({
      ...code,
      client_secret: 'canary-client-secret',
    });
    expect(JSON.stringify(seen[0]!.headers)).not.toContain('canary');
    expect(seen[0]!.headers.authorization).toBeUndefined();
  });

  it("passes a client's own authentication on instead of the secret", async () => {
    const basic = `Basic ${Buffer.from('company:own-secret').toString('base64')}`;
    await token(encode({ ...code, client_id: undefined }), { authorization: basic });
    await token(encode({ ...code, client_secret: 'own-secret' }));
    expect(seen.map(({ headers }) => headers.authorization)).toEqual([basic, undefined]);
    expect(seen.map(({ body }) => new URLSearchParams(body).get('client_secret'))).toEqual([null, 'own-secret']);
  });

  it('never passes a bearer token on', async () => {
    expectRefused(await token(encode(code), { authorization: 'Bearer canary-token' }), 'invalid_client');
  });

  it.each<[string, Form, string]>([
    ['another client', { client_id: 'evil' }, 'invalid_client'],
    ['no client', { client_id: undefined }, 'invalid_client'],
    ['no verifier', { code_verifier: undefined }, 'invalid_grant'],
    ['an empty verifier', { code_verifier: '' }, 'invalid_grant'],
    ['another redirect address', { redirect_uri: 'https://evil.example' }, 'invalid_grant'],
    ['no redirect address', { redirect_uri: undefined }, 'invalid_grant'],
    ['client credentials', { grant_type: 'client_credentials' }, 'unsupported_grant_type'],
    ['a password', { grant_type: 'password', username: 'a', password: 'b' }, 'unsupported_grant_type'],
    ['a token exchange', { grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange' }, 'unsupported_grant_type'],
    ['a device code', { grant_type: 'urn:ietf:params:oauth:grant-type:device_code' }, 'unsupported_grant_type'],
    ['no grant', { grant_type: undefined }, 'unsupported_grant_type'],
  ])('refuses %s', async (_what, change, error) => {
    expectRefused(await token(encode({ ...code, ...change })), error);
  });

  it.each(['code', 'client_id', 'redirect_uri', 'grant_type', 'code_verifier'])(
    'refuses two values of %s',
    async (name) => {
      expectRefused(await token(`${encode(code)}&${name}=evil`), 'invalid_request');
    },
  );

  it.each([
    ['another client than the form', Buffer.from('evil:x').toString('base64')],
    ['text that is no base64', '%%%'],
    ['a name that is not encoded', Buffer.from('%zz:x').toString('base64')],
  ])('refuses Basic with %s', async (_what, credentials) => {
    expectRefused(await token(encode(code), { authorization: `Basic ${credentials}` }), 'invalid_client');
  });

  it('refuses what is no form', async () => {
    expectRefused(await token('[]', { 'content-type': 'application/json' }));
    expectRefused(await token('', { 'content-type': undefined }));
    expectRefused(await token('<x/>', { 'content-type': 'text/xml' }));
  });

  it.each<[string, () => void]>([
    ['fails', () => (answer.status = 500)],
    ['limits us', () => (answer.status = 429)],
    ['redirects', () => Object.assign(answer, { status: 302, headers: { location: 'https://evil.example/' } })],
    ['answers HTML', () => (answer.body = '<html>canary</html>')],
    ['answers a list', () => (answer.body = '["canary"]')],
    ['answers a megabyte', () => (answer.body = JSON.stringify({ canary: 'x'.repeat(1024 * 1024) }))],
  ])('says to try again when the provider %s', async (_what, change) => {
    change();
    const failed = await token(encode(code));
    expect(failed).toMatchObject({ status: 503, json: { error: 'temporarily_unavailable' } });
    expect(failed.headers.location).toBeUndefined();
    expect(failed.text + stderrText()).not.toContain('canary');
  });

  it.each(['Grant_Type', 'grant_type[]', 'GRANT_TYPE', 'grant-type', 'Client_Secret', 'client_assertion[]'])(
    'passes on no value of the name %j',
    async (name) => {
      await token(`${encode(code)}&${encodeURIComponent(name)}=client_credentials`);
      const passed = Object.fromEntries(new URLSearchParams(seen[0]!.body));
      expect(passed).toEqual({ ...code, client_secret: 'canary-client-secret' });
    },
  );

  const SECRET = 'canary-client-secret';
  it.each<[string, number, object]>([
    [
      'in the description',
      400,
      { error: 'invalid_request', error_description: `cannot read: client_secret=${SECRET}` },
    ],
    ['cut', 400, { error: 'invalid_request', error_description: `cannot read: client_secret=${SECRET.slice(0, 12)}` }],
    ['as the code', 401, { error: SECRET }],
    ['in a field of its own', 403, { error: 'invalid_client', request: { client_secret: SECRET } }],
    ['in base64', 400, { error: 'x', hint: Buffer.from(SECRET).toString('base64') }],
    ['in an address', 400, { error: 'invalid_request', error_uri: `https://idp/error?client_secret=${SECRET}` }],
    ['in a good answer', 200, { access_token: 'a', debug: `client_secret=${SECRET}` }],
  ])('passes on nothing of its secret that the provider echoes %s', async (_where, status, document) => {
    answer = { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(document) };
    const passed = await token(encode(code));
    expect(passed.status).toBe(status);
    expect(passed.text + stderrText()).not.toMatch(/canary|Y2FuYXJ5/);
  });

  it('logs the codes of a refusal and none of its words', async () => {
    answer = {
      status: 400,
      headers: { 'content-type': 'application/json' },
      body: '{"error":"invalid_target","error_description":"canary","error_codes":[9010010,"canary"]}',
    };
    expect(await token(encode(code))).toMatchObject({ status: 400, json: { error: 'invalid_target' } });
    expect(logMessages()).toContain('token request refused by the provider: invalid_target 9010010');
    expect(stderrText()).not.toContain('canary');
  });
});

describe('/register', () => {
  const register = (body: object | string) => send(server.url, { path: '/register', body, headers: open });

  it('hands out the one client, without its secret, whatever else is asked for', async () => {
    const body = {
      redirect_uris: [CLAUDE],
      client_name: 'evil',
      token_endpoint_auth_method: 'client_secret_basic',
      client_id: 'evil',
      scope: 'admin',
    };
    const registered = await register(body);
    expect(registered).toMatchObject({ status: 201 });
    expect(registered.json).toEqual({
      client_id: 'company',
      redirect_uris: [CLAUDE],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    });
  });

  it.each<[string, object | string]>([
    ['of a stranger', { redirect_uris: ['https://evil.example/cb'] }],
    ['of a stranger among good ones', { redirect_uris: [CLAUDE, 'https://evil.example/cb'] }],
    ['none', { redirect_uris: [] }],
    ['no list', { redirect_uris: CLAUDE }],
    ['no texts', { redirect_uris: [{ href: CLAUDE }] }],
    ['too many', { redirect_uris: Array.from({ length: 11 }, () => CLAUDE) }],
    ['nothing at all', {}],
    ['null', 'null'],
    ['of Cursor, until they are allowed', { redirect_uris: ['http://localhost:8787/callback', 'cursor://x/oauth'] }],
  ])('refuses redirect addresses: %s', async (_what, body) => {
    expectRefused(await register(body), 'invalid_redirect_uri');
  });

  it.each([
    ['Cursor', ['cursor://anysphere.cursor-mcp/oauth/callback', 'https://www.cursor.com/agents/mcp/oauth/callback']],
    ['VS Code', ['https://vscode.dev/redirect', 'https://insiders.vscode.dev/redirect', 'http://127.0.0.1/']],
  ])('logs each address that %s needs, and the setting', async (_client, uris) => {
    await register({ redirect_uris: [...uris, 'http://localhost:8787/callback'] });
    expect(logMessages()).toEqual(
      uris.map((uri) => `registration refused: the redirect address "${uri}" is not in MCP_OAUTH_REDIRECT_URIS`),
    );
  });
});
