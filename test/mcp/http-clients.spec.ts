/** HTTP as clients, gateways, browsers and people really send it. */
import { type Harness, startHarness } from '../support/harness.js';
import { call, callAtForms, send } from '../support/rpc.js';

const ORIGIN = 'https://app.example.com';
let harness: Harness;
let url: string;
beforeAll(async () => {
  harness = await startHarness({
    env: {
      MCP_LOG_LEVEL: 'fatal',
      MCP_AUTH_MODE: 'oidc,bearer',
      MCP_OIDC_ISSUER: 'https://idp.invalid',
      MCP_OIDC_AUDIENCE: 'this-server',
      MCP_OAUTH_FACADE: 'true',
      MCP_OAUTH_CLIENT_ID: 'shared',
      MCP_ALLOWED_ORIGINS: 'app.example.com',
    },
  });
  ({ url } = harness.server);
});
afterAll(() => harness.close());

const list = call('tools/call', { name: 'agent_list', arguments: {} });

describe('addresses', () => {
  it.each(['/mcp/', '/mcp/readonly/', '/mcp/?x=1'])('%s is the same as without the slash', async (path) => {
    const answer = await send(url, { path, body: list });
    expect(answer).toMatchObject({ status: 200, json: { result: { structuredContent: { has_more: false } } } });
    expect(await send(url, { path, body: list, headers: { authorization: undefined } })).toMatchObject({ status: 401 });
  });

  it('/mcp/readonly/ serves only the tools that read', async () => {
    const body = call('tools/call', { name: 'session_start', arguments: { agent_id: 'a', environment_id: 'e' } });
    expect((await send(url, { path: '/mcp/readonly/', body })).text).toContain('read-only');
  });

  it.each(['/mcp//', '//mcp', '/mcp/x/', '/x/mcp/'])('%s is none', async (path) => {
    expect(await send(url, { path, body: list })).toMatchObject({ status: 404 });
  });
});

describe('Accept', () => {
  const takesJson = [
    undefined,
    '',
    '*/*',
    'application/json',
    'application/*',
    'application/json, application/mcp+json',
    'Application/JSON;q=0.9, text/html',
    'text/event-stream, */*;q=0.1',
  ];
  it.each(takesJson)('%j gets the JSON answer of 2025', async (accept) => {
    const answer = await send(url, { body: list, headers: { accept } });
    expect(answer).toMatchObject({ status: 200, json: { result: { structuredContent: {} } } });
    expect(answer.headers['content-type']).toContain('application/json');
  });

  it.each(['text/html', 'application/json;q=0', 'text/event-stream', 'image/*'])('%s is refused', async (accept) => {
    expect(await send(url, { body: list, headers: { accept } })).toMatchObject({
      status: 406,
      json: { jsonrpc: '2.0' },
    });
  });

  const modern = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'session_wait' };
  const wait = (meta: object) =>
    call('tools/call', {
      name: 'session_wait',
      arguments: { session_id: 'sesn_unknown', timeout_seconds: 1 },
      _meta: {
        'io.modelcontextprotocol/protocolVersion': '2026-07-28',
        'io.modelcontextprotocol/clientInfo': { name: 'raw', version: '1' },
        'io.modelcontextprotocol/clientCapabilities': {},
        ...meta,
      },
    });
  it.each([undefined, '*/*', 'application/json'])(
    '%j gets JSON of 2026-07-28, with a progress token too',
    async (accept) => {
      const answer = await send(url, { body: wait({ progressToken: 1 }), headers: { ...modern, accept } });
      expect(answer).toMatchObject({ status: 200, json: { id: 1, result: { isError: true } } });
      expect(answer.headers['content-type']).toContain('application/json');
    },
  );
});

describe('methods', () => {
  const json = { 'content-type': 'application/json' };
  const cases = ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'].flatMap((method) => [
    { method, body: undefined, headers: { 'content-type': undefined } },
    { method, body: undefined, headers: json },
    // Node sends the length of a body by itself only where a body is usual.
    { method, body: '{', headers: { ...json, 'content-length': '1' } },
    { method, body: 'a=b', headers: { 'content-type': 'application/x-www-form-urlencoded', 'content-length': '3' } },
  ]);
  it.each(cases)('$method with body $body and $headers is not allowed', async ({ method, body, headers }) => {
    for (const path of ['/mcp', '/mcp/', '/mcp/readonly']) {
      const answer = await send(url, { method, path, body, headers: { ...headers, 'mcp-session-id': 'x' } });
      expect([answer.status, answer.headers.allow]).toEqual([405, 'POST']);
      if (method !== 'HEAD') expect(answer.json).toMatchObject({ jsonrpc: '2.0', id: null, error: { code: -32000 } });
    }
  });

  it('a stranger is asked for a token first', async () => {
    const headers = { authorization: undefined, 'content-type': undefined };
    expect(await send(url, { method: 'GET', headers })).toMatchObject({ status: 401 });
  });
});

describe('CORS', () => {
  const PATHS = [
    '/mcp',
    '/mcp/',
    '/mcp/readonly',
    '/token',
    '/register',
    '/.well-known/oauth-protected-resource/mcp',
    '/.well-known/oauth-authorization-server',
    '/.well-known/openid-configuration',
  ];
  const preflight = (path: string, origin: string) =>
    send(url, {
      method: 'OPTIONS',
      path,
      headers: {
        authorization: undefined,
        'content-type': undefined,
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,content-type,mcp-protocol-version',
      },
    });

  it.each(PATHS)('%s may be asked by a page of an allowed origin', async (path) => {
    const { status, headers } = await preflight(path, ORIGIN);
    expect(status).toBe(204);
    expect(headers).toMatchObject({ 'access-control-allow-origin': ORIGIN, vary: 'Origin' });
    expect(headers['access-control-allow-methods']).toContain('POST');
    for (const name of ['authorization', 'content-type', 'accept', 'mcp-protocol-version', 'mcp-method', 'mcp-name'])
      expect(headers['access-control-allow-headers']!.split(', ')).toContain(name);
  });

  it.each(PATHS)('%s gives no other origin a permission', async (path) => {
    for (const origin of [
      'https://evil.example',
      'https://app.example.com.evil.example',
      'null',
      'http://localhost:3000',
    ]) {
      const { status, headers } = await preflight(path, origin);
      expect([origin, status >= 400, headers['access-control-allow-origin']]).toEqual([origin, true, undefined]);
    }
  });

  it('other addresses have no permissions', async () => {
    expect((await preflight('/healthz', ORIGIN)).headers).not.toHaveProperty('access-control-allow-origin');
    expect((await preflight('/authorize', ORIGIN)).headers).not.toHaveProperty('access-control-allow-origin');
  });

  const exposes = {
    'access-control-allow-origin': ORIGIN,
    'access-control-expose-headers': expect.stringMatching(/www-authenticate, mcp-session-id, mcp-protocol-version/),
  };
  it.each<[string, number, Parameters<typeof send>[1]]>([
    ['an answer', 200, { body: list }],
    ['no token', 401, { body: list, headers: { authorization: undefined } }],
    ['a wrong token', 401, { body: list, headers: { authorization: 'Bearer wrong' } }],
    ['another host', 403, { body: list, headers: { host: 'evil.example' } }],
    ['another method', 405, { method: 'GET', headers: { 'content-type': undefined } }],
    ['an answer that is not accepted', 406, { body: list, headers: { accept: 'text/html' } }],
    ['broken JSON', 400, { body: '{' }],
    ['another content type', 415, { body: 'a=b', headers: { 'content-type': 'text/plain' } }],
    ['a token request that is refused', 401, { path: '/token', body: {}, headers: { authorization: undefined } }],
    ['a registration that is refused', 400, { path: '/register', body: {}, headers: { authorization: undefined } }],
    [
      'discovery',
      200,
      { method: 'GET', path: '/.well-known/oauth-protected-resource/mcp', headers: { 'content-type': undefined } },
    ],
  ])('a page can read %s (%d)', async (_what, status, request) => {
    const answer = await send(url, { ...request, headers: { ...request!.headers, origin: ORIGIN } });
    expect(answer.status).toBe(status);
    expect(answer.headers).toMatchObject(exposes);
  });

  it('the answer of 2026-07-28 can be read as well', async () => {
    const answer = await callAtForms(url, 'agent_list', { arguments: {} });
    expect(answer.status).toBe(200);
  });
});

describe('deep JSON', () => {
  const shapes: [string, (deep: unknown) => object][] = [
    ['arguments', (deep) => call('tools/call', { name: 'agent_list', arguments: { x: deep } })],
    ['metadata', (deep) => call('tools/call', { name: 'session_start', arguments: { agent_id: 'a', metadata: deep } })],
    ['params', (deep) => ({ jsonrpc: '2.0', id: 1, method: 'ping', params: deep as object })],
    ['an id', (deep) => ({ jsonrpc: '2.0', id: deep, method: 'ping' })],
    ['a batch', (deep) => [deep]],
    ['_meta', (deep) => call('tools/list', { _meta: { deep } })],
  ];
  it.each(shapes)('in %s is never a 500', async (_where, shape) => {
    for (const levels of [10, 90, 99, 101, 5000, 100_000]) {
      // Written as text, because JSON.stringify cannot nest that deep.
      const body = JSON.stringify(shape('DEEP')).replace('"DEEP"', '['.repeat(levels) + ']'.repeat(levels));
      const { status } = await send(url, { body });
      expect([levels, status < 500, status]).toEqual([levels, true, levels > 100 ? 400 : status]);
    }
  });
});
