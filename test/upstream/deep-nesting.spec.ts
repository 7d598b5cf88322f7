import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import { type AddressInfo } from 'node:net';
import { type Client } from '@modelcontextprotocol/client';
import { callTool, connectHttp } from '../support/client.js';
import { serverEnv, startServer, type TestServer } from '../support/server.js';
import { logLines } from '../support/stderr.js';

const NESTED = `${'['.repeat(6000)}${']'.repeat(6000)}`;
const AT = '2026-11-20T10:00:00.000000Z';

const session = (id: string) => ({
  id,
  type: 'session',
  status: 'idle',
  title: null,
  metadata: {},
  created_at: AT,
  updated_at: AT,
  archived_at: null,
  environment_id: 'env_1',
  agent: { id: 'agent_1', type: 'agent', name: 'A', version: 1, model: { id: 'claude' } },
  resources: [],
  vault_ids: [],
  outcome_evaluations: [],
});
const waiting = (id: string, input: unknown) => [
  { id: `sevt_m${id}`, type: 'user.message', processed_at: AT, content: [{ type: 'text', text: 'Go' }] },
  { id: `sevt_o${id}`, type: 'a.new_type', processed_at: AT, other: input },
  { id: `sevt_c${id}`, type: 'agent.tool_use', processed_at: AT, name: 'bash', input, evaluated_permission: 'ask' },
  {
    id: `sevt_i${id}`,
    type: 'session.status_idle',
    processed_at: AT,
    stop_reason: { type: 'requires_action', event_ids: [`sevt_c${id}`] },
  },
];

let upstream: Server;
let server: TestServer;
let client: Client;
beforeAll(async () => {
  upstream = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url!, 'http://upstream');
    const [, , , id, sub, stream] = pathname.split('/');
    if (stream) return void response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
    const events = id && waiting(id, { command: id === 'sesn_deep' ? 'DEEP' : 'ls' });
    if (events && searchParams.get('order') === 'desc') events.reverse();
    const body = !id ? { data: ['sesn_deep', 'sesn_ok'].map(session) } : sub ? { data: events } : session(id);
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body).replaceAll('"DEEP"', NESTED));
  }).listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  const url = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
  server = await startServer(serverEnv(url, { MCP_LOG_LEVEL: 'error' }));
  client = await connectHttp(server.url);
});
afterAll(async () => {
  await client.close();
  await server.close();
  upstream.closeAllConnections();
  upstream.close();
});

const session_id = 'sesn_deep';
it.each<[string, object, string]>([
  ['approval_list', {}, 'nested deeper than 100 levels'],
  ['session_get', { session_id }, 'nested deeper than 100 levels'],
  ['session_events', { session_id, format: 'detailed' }, 'nested deeper than 100 levels'],
  ['session_events', { session_id }, '[[[['],
  ['session_wait', { session_id, timeout_seconds: 1 }, 'nested deeper than 100 levels'],
])('a tool input of 6,000 nested lists does not break %s %j', async (tool, args, shown) => {
  const { isError, text, data } = await callTool(client, tool, { ...args });
  expect([isError, text]).toEqual([false, expect.stringContaining(shown)]);
  if (tool === 'approval_list') {
    const ids = (data.approvals as { session_id: string }[]).map((approval) => approval.session_id);
    expect(ids.sort()).toEqual(['sesn_deep', 'sesn_ok']);
  }
  expect(logLines()).toEqual([]);
});
