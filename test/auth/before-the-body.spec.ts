import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type Harness, startHarness } from '../support/harness.js';
import { call, send } from '../support/rpc.js';
import { logLines } from '../support/stderr.js';

const MEGABYTE = 1024 * 1024;
const ENV = {
  MCP_LOG_LEVEL: 'warn',
  MCP_AUTH_MODE: 'oidc,bearer',
  MCP_OIDC_ISSUER: 'https://idp.example',
  MCP_OIDC_AUDIENCE: 'mcp',
  MCP_OAUTH_FACADE: 'true',
  MCP_OAUTH_CLIENT_ID: 'client',
  MCP_OAUTH_CLIENT_SECRET: 'secret',
  MCP_OAUTH_REDIRECT_URIS: 'https://client.example/callback',
};

let harness: Harness;
let url: string;
beforeAll(async () => {
  harness = await startHarness();
  ({ url } = harness.server);
});
afterAll(() => harness.close());

const noToken = { authorization: undefined };
const wrongToken = { authorization: 'Bearer wrong' };

describe('a caller without a valid token', () => {
  const bodies: [what: string, body: string, contentType: string][] = [
    ['broken JSON', '{"jsonrpc":', 'application/json'],
    ['deeply nested JSON', `${'['.repeat(2 * MEGABYTE)}${']'.repeat(2 * MEGABYTE - 64)}`, 'application/json'],
    ['more than 4 MB', 'x'.repeat(5 * MEGABYTE), 'application/json'],
    ['another content type', 'a=b', 'application/xml'],
  ];

  it.each(bodies)('learns only that a token is needed: %s', async (_what, body, contentType) => {
    for (const headers of [noToken, wrongToken]) {
      for (const connection of ['keep-alive', 'close']) {
        const answer = await send(url, { body, headers: { ...headers, connection, 'content-type': contentType } });
        expect(answer).toMatchObject({
          status: 401,
          headers: { 'www-authenticate': expect.stringMatching(/^Bearer realm=/) },
          json: { jsonrpc: '2.0', id: null, error: { code: -32000, message: expect.stringContaining('Bearer') } },
        });
      }
    }
  });

  it('gets nothing parsed where there is no route either', async () => {
    expect(await send(url, { path: '/none', body: '{"', headers: noToken })).toMatchObject({
      status: 404,
      json: { error: { message: 'There is nothing at this address; MCP is served at /mcp' } },
    });
  });

  it('is logged once, with the id of the request', async () => {
    const requestId = 'refused-before-its-body';
    const own = await startHarness({ env: { MCP_LOG_LEVEL: 'warn' } });
    await send(own.server.url, { body: '{"', headers: { ...noToken, 'x-request-id': requestId } });
    await own.close();
    expect(logLines().filter(({ request_id }) => request_id === requestId)).toEqual([
      expect.objectContaining({ context: 'Auth', msg: 'request refused: no bearer token' }),
    ]);
  });

  it('can send a hundred bodies, and no other caller waits for them', async () => {
    const parse = jest.spyOn(JSON, 'parse');
    const [, body] = bodies[1]!;
    const refused = Array.from({ length: 100 }, () => send(url, { body, headers: noToken }));
    const first = await Promise.race([
      send(url, { body: call('ping') }).then(({ status }) => status),
      Promise.all(refused).then(() => 'all of them'),
    ]);
    expect(first).toBe(200);
    for (const answer of await Promise.all(refused)) expect(answer.status).toBe(401);
    const longest = Math.max(...parse.mock.calls.map(([text]) => String(text).length));
    parse.mockRestore();
    expect(longest).toBeLessThan(MEGABYTE);
  });

  it('is answered when it ends its body early, and the server goes on', async () => {
    const { hostname, port } = new URL(url);
    const socket: Socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    socket.write('POST /mcp HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000\r\n\r\n{');
    socket.destroy();
    expect(await send(url, { body: call('ping') })).toMatchObject({ status: 200 });
  });
});

describe('routes that need no token', () => {
  it('take 64 KB at most', async () => {
    const own = await startHarness({ env: ENV });
    const register = (client_name: string) =>
      send(own.server.url, {
        path: '/register',
        headers: noToken,
        body: { client_name, redirect_uris: ['https://client.example/callback'] },
      });
    const [small, large] = [await register('x'.repeat(60_000)), await register('x'.repeat(70_000))];
    await own.close();
    expect(small.status).toBeLessThan(413);
    expect(large).toMatchObject({ status: 413, json: { error: { message: expect.stringContaining('64 KB') } } });
  });
});
