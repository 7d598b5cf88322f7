import { type Harness, startHarness } from '../support/harness.js';
import { call, send } from '../support/rpc.js';

let harness: Harness;
let url: string;
beforeAll(async () => {
  harness = await startHarness();
  ({ url } = harness.server);
});
afterAll(() => harness.close());

const ping = call('ping');

describe('methods and addresses', () => {
  it.each(['GET', 'DELETE'])('%s /mcp is not allowed: the server is stateless', async (method) => {
    const answer = await send(url, { method, headers: { accept: 'text/event-stream', 'content-type': undefined } });
    expect(answer).toMatchObject({ status: 405, json: { jsonrpc: '2.0', error: { code: -32000 } } });
    expect(answer.headers.allow).toBe('POST');
  });

  it.each(['/', '/mcp/x', '/v1/agents', '/.well-known/oauth-protected-resource'])(
    'there is nothing at %s',
    async (path) => {
      const answer = await send(url, { path, body: ping });
      expect(answer).toMatchObject({ status: 404, json: { jsonrpc: '2.0', error: { code: -32600 } } });
    },
  );
});

describe('bodies', () => {
  it.each([
    ['broken JSON', '{"jsonrpc":'],
    ['no JSON at all', 'hello'],
    ['an empty body', ''],
  ])('%s is a parse error', async (_what, body) => {
    expect(await send(url, { body })).toMatchObject({ status: 400, json: { jsonrpc: '2.0', error: { code: -32700 } } });
  });

  it('refuses JSON with a key that could change the prototype of objects', async () => {
    const answer = await send(url, { body: '{"__proto__":{"x":1}}' });
    expect(answer).toMatchObject({ status: 400, json: { jsonrpc: '2.0', error: { code: -32700 } } });
  });

  it('an address that cannot be decoded is a JSON-RPC error as well', async () => {
    expect(await send(url, { path: '/%ff', body: ping })).toMatchObject({ status: 400, json: { jsonrpc: '2.0' } });
  });

  it('ends connections whose request does not come to an end', () => {
    expect(harness.server.app.getHttpServer()).toMatchObject({ requestTimeout: 30_000 });
  });

  it('refuses more than 4 MB', async () => {
    const body = JSON.stringify(
      call('tools/call', { name: 'session_message', arguments: { text: 'x'.repeat(4 * 1024 * 1024) } }),
    );
    const answer = await send(url, { body });
    expect(answer).toMatchObject({
      status: 413,
      json: { jsonrpc: '2.0', error: { message: expect.stringContaining('at most 4 MB') } },
    });
  });

  it.each([
    ['lists', '[', ']'],
    ['objects', '{"a":', '}'],
    ['lists in objects', '{"a":[', ']}'],
  ])('reads 100 levels of %s, and refuses more before they are parsed', async (_what, open, close) => {
    const nested = (levels: number) => {
      const times = Math.ceil(levels / (open.length === 6 ? 2 : 1));
      return `${open.repeat(times)}${close === '}' ? '1' : ''}${close.repeat(times)}`;
    };
    const inside = (levels: number) =>
      `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":${nested(levels - 2)}}}`;
    expect(await send(url, { body: inside(100) })).toMatchObject({ json: { jsonrpc: '2.0', id: 1 } });
    for (const levels of [102, 4000, 1_000_000 / open.length]) {
      expect(await send(url, { body: inside(levels) })).toMatchObject({
        status: 400,
        json: { error: { code: -32600, message: 'The body is nested too deeply: at most 100 levels' } },
      });
    }
  });

  it('counts no brackets in texts', async () => {
    const body = call('ping', { _meta: { text: `\\"${'['.repeat(1000)}` } });
    expect(await send(url, { body })).toMatchObject({ status: 200 });
  });

  it('reads 3 MB, and refuses the argument that is too long', async () => {
    const body = call('tools/call', {
      name: 'session_message',
      arguments: { session_id: 'sesn_1', text: 'x'.repeat(3_000_000) },
    });
    const answer = await send(url, { body });
    expect(answer).toMatchObject({ status: 200, json: { result: { isError: true } } });
    expect(answer.text).toContain('text: must have at most 100000 characters');
  });

  it('refuses another content type', async () => {
    const answer = await send(url, { body: 'a=b', headers: { 'content-type': 'application/x-www-form-urlencoded' } });
    expect(answer).toMatchObject({ status: 415, json: { jsonrpc: '2.0' } });
  });

  it('refuses a client that does not accept an answer', async () => {
    expect(await send(url, { body: ping, headers: { accept: 'text/html' } })).toMatchObject({
      status: 406,
      json: { jsonrpc: '2.0' },
    });
  });
});

describe('protocol versions', () => {
  const initialize = (protocolVersion: string) =>
    call('initialize', { protocolVersion, capabilities: {}, clientInfo: { name: 'test', version: '1' } });

  it.each(['2025-03-26', '2025-06-18', '2025-11-25'])(
    'initialize with %s is answered with the same',
    async (version) => {
      const answer = await send(url, { body: initialize(version) });
      expect(answer).toMatchObject({
        status: 200,
        json: { result: { protocolVersion: version, serverInfo: { name: 'managed-agent-control' } } },
      });
      expect(answer.headers['mcp-session-id']).toBeUndefined();
    },
  );

  it('refuses a version it does not know, and names those it does', async () => {
    const answer = await send(url, { body: ping, headers: { 'mcp-protocol-version': '1999-01-01' } });
    expect(answer).toMatchObject({ status: 400, json: { jsonrpc: '2.0', error: { code: -32000 } } });
    expect(answer.text).toContain('2025-11-25');
  });

  const modern = (method: string, params: object = {}) =>
    call(method, {
      ...params,
      _meta: {
        'io.modelcontextprotocol/protocolVersion': '2026-07-28',
        'io.modelcontextprotocol/clientCapabilities': {},
        'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
      },
    });
  const modernHeaders = (method: string) => ({ 'mcp-protocol-version': '2026-07-28', 'mcp-method': method });

  it('server/discover tells versions, capabilities and instructions', async () => {
    const answer = await send(url, { body: modern('server/discover'), headers: modernHeaders('server/discover') });
    expect(answer).toMatchObject({ status: 200, json: { result: { capabilities: { tools: {} } } } });
    expect(answer.json.result.supportedVersions).toContain('2026-07-28');
    expect(answer.json.result.instructions).toMatch(/^Control Claude Managed Agents/);
  });

  it('an unknown method is 404 with -32601 for 2026-07-28', async () => {
    const answer = await send(url, { body: modern('no/such'), headers: modernHeaders('no/such') });
    expect(answer).toMatchObject({ status: 404, json: { error: { code: -32601 } } });
  });

  it('a missing Mcp-Method header is refused with its own code', async () => {
    const answer = await send(url, { body: modern('tools/list'), headers: { 'mcp-protocol-version': '2026-07-28' } });
    expect(answer).toMatchObject({ status: 400, json: { error: { code: -32020 } } });
  });
});

describe('Host and Origin', () => {
  const hosts = ['localhost', '127.0.0.1', '[::1]'];
  const strangers = ['evil.example', 'localhost.evil.example', '127.0.0.1.nip.io', '10.0.0.1', 'xn--lcalhost-77a'];

  it.each(hosts)('Host %s is served', async (host) => {
    expect(await send(url, { body: ping, headers: { host: `${host}:1234` } })).toMatchObject({ status: 200 });
  });
  it.each(strangers)('Host %s is refused', async (host) => {
    expect(await send(url, { body: ping, headers: { host } })).toMatchObject({ status: 403, json: { jsonrpc: '2.0' } });
  });
  it.each(['http://localhost:3000', 'http://127.0.0.1'])('Origin %s is served', async (origin) => {
    expect(await send(url, { body: ping, headers: { origin } })).toMatchObject({ status: 200 });
  });
  it.each([...strangers.map((host) => `https://${host}`), 'null', 'file://', 'not a url'])(
    'Origin %s is refused',
    async (origin) => {
      expect(await send(url, { body: ping, headers: { origin } })).toMatchObject({
        status: 403,
        json: { jsonrpc: '2.0' },
      });
    },
  );
});
