import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { FIXTURES } from '../simulator/index.js';
import { callTool, ERAS } from '../support/client.js';
import { type Harness, startHarness } from '../support/harness.js';
import { call, send } from '../support/rpc.js';
import { TOKEN } from '../support/server.js';
import { auditLines } from '../support/stderr.js';
import { TOOL_NAMES, TOOL_TABLE, toolsOf } from './tool-table.js';

let harness: Harness;
afterEach(() => harness.close());

const READING = toolsOf('viewer');
const agent_id = FIXTURES.agents.analyst;
const environment_id = FIXTURES.environments.cloud;

async function connect(path: string, headers: Record<string, string>, mode: (typeof ERAS)[number][1]) {
  const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode } });
  const requestInit = { headers: { authorization: `Bearer ${TOKEN}`, ...headers } };
  await client.connect(new StreamableHTTPClientTransport(new URL(`${harness.server.url}${path}`), { requestInit }));
  return client;
}

describe.each(ERAS)('a %s client', (_version, mode) => {
  it.each([
    ['the address /mcp/readonly', '/mcp/readonly', {}],
    ['the header', '/mcp', { 'x-mcp-readonly': 'true' }],
    ['both', '/mcp/readonly', { 'X-MCP-Readonly': 'TRUE' }],
  ])('reads only with %s: in its list and in its calls', async (_what, path, headers) => {
    harness = await startHarness();
    const client = await connect(path, headers, mode);
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(READING);
    expect((await callTool(client, 'agent_get', { agent_id })).isError).toBe(false);
    for (const name of TOOL_NAMES.filter((tool) => !READING.includes(tool))) {
      const args = TOOL_TABLE[name]!.tier === 'start' ? { agent_id, environment_id } : { session_id: 'sesn_1' };
      const more = { session_message: { text: 'hi' }, session_respond: { tool_use_id: 'sevt_1', result: 'allow' } };
      const answer = await callTool(client, name, { ...args, ...more[name as keyof typeof more] });
      expect([name, answer.isError, answer.text]).toEqual([
        name,
        true,
        expect.stringMatching(/connection is read-only/),
      ]);
      expect(auditLines().at(-1)).toMatchObject({ audit: name, outcome: 'refused', reason: 'read_only' });
    }
    expect(harness.simulator.requests.filter(({ method }) => method !== 'GET')).toEqual([]);
    await client.close();
  });

  it('is not narrowed by what another request asked for', async () => {
    harness = await startHarness();
    const narrow = await connect('/mcp/readonly', {}, mode);
    const wide = await connect('/mcp', {}, mode);
    await narrow.listTools();
    expect((await wide.listTools()).tools.map(({ name }) => name)).toEqual(TOOL_NAMES);
    expect((await callTool(wide, 'session_start', { agent_id, environment_id })).isError).toBe(false);
    await Promise.all([narrow.close(), wide.close()]);
  });
});

it.each(['false', '0', '1', 'yes', '', 'true, true', 'true; x', 'truee', 'null'])(
  'refuses the header value %j, at both addresses, and names the one that is allowed',
  async (value) => {
    harness = await startHarness();
    for (const path of ['/mcp', '/mcp/readonly']) {
      const answer = await send(harness.server.url, {
        path,
        body: call('tools/list'),
        headers: { 'x-mcp-readonly': value },
      });
      expect(answer).toMatchObject({
        status: 400,
        json: { jsonrpc: '2.0', id: null, error: { code: -32600, message: expect.stringMatching(/only be "true"/) } },
      });
    }
  },
);

it('needs authentication first', async () => {
  harness = await startHarness();
  for (const headers of [{ authorization: undefined }, { authorization: undefined, 'x-mcp-readonly': 'nonsense' }])
    expect(await send(harness.server.url, { path: '/mcp/readonly', headers, body: call('tools/list') })).toMatchObject({
      status: 401,
    });
});

it.each(['/mcp/ReadOnly', '/mcp//readonly', '/mcp/readonly/x', '/mcp/readonly%2f'])(
  'there is nothing at %s, so no spelling is read-only by name and not in fact',
  async (path) => {
    harness = await startHarness();
    expect(await send(harness.server.url, { path, body: call('tools/list') })).toMatchObject({ status: 404 });
  },
);

it.each(['/mcp/readonly/', '/mcp/readonly/?a=b', '/mcp/readonly?readonly=false', '/mcp/%72eadonly'])(
  '%s reads only',
  async (path) => {
    harness = await startHarness();
    const answer = await send(harness.server.url, { path, body: call('tools/list') });
    const tools = answer.json.result.tools as { name: string }[];
    expect(tools.map(({ name }) => name)).toEqual(READING);
  },
);

it.each(['GET', 'DELETE'])('%s /mcp/readonly is not allowed either', async (method) => {
  harness = await startHarness();
  const answer = await send(harness.server.url, {
    method,
    path: '/mcp/readonly',
    headers: { 'content-type': undefined },
  });
  expect([answer.status, answer.headers.allow]).toEqual([405, 'POST']);
});

it('never gives back what the operator took', async () => {
  harness = await startHarness({ env: { MCP_ALLOWLIST_AGENTS_ACTIVE: 'true', MCP_ALLOWED_AGENT_IDS: 'agent_other' } });
  const client = await connect('/mcp/readonly', { 'x-mcp-readonly': 'true' }, ERAS[1]![1]);
  expect((await callTool(client, 'agent_get', { agent_id })).text).toMatch(/MCP_ALLOWED_AGENT_IDS/);
  await client.close();
});
