import { FIXTURES, Simulator } from '../simulator/index.js';
import { callTool, connectHttp, connectStdio, ERAS, MODERN } from '../support/client.js';
import { startWaiting } from '../support/calls.js';
import { eventually } from '../support/eventually.js';
import { send, call as rpc } from '../support/rpc.js';
import { serverEnv, startServer, type TestServer, TOKEN } from '../support/server.js';
import { auditLines, logLines, logMessages, stderrText } from '../support/stderr.js';
import { OtlpReceiver } from './otlp-receiver.js';
import { type ReceivedSpan } from './received-span.js';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const CALLER = '00f067aa0ba902b7';
const traceparent = `00-${TRACE}-${CALLER}-01`;
const PROXY_TRACE = 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa';
const PROXY = 'bbbbbbbbbbbbbbbb';

let simulator: Simulator;
let receiver: OtlpReceiver;
let server: TestServer | undefined;
beforeEach(async () => {
  simulator = await Simulator.start({ fixtures: true });
  receiver = await OtlpReceiver.start();
});
afterEach(async () => {
  await server?.close();
  server = undefined;
  await receiver.close();
  await simulator.close();
});

const otlp = (env: Record<string, string> = {}) => ({
  OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
  OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
  ...env,
});
async function start(env: Record<string, string> = {}): Promise<TestServer> {
  server = await startServer(serverEnv(simulator.url, otlp(env)));
  return server;
}

/** Everything that was recorded, which a server sends before it ends. */
async function spans(): Promise<ReceivedSpan[]> {
  await server?.close();
  server = undefined;
  return receiver.spans;
}

function one(all: readonly ReceivedSpan[], name: string): ReceivedSpan {
  const found = all.filter((span) => span.name === name);
  expect(found).toHaveLength(1);
  return found[0]!;
}

describe.each(ERAS)('over HTTP (%s)', (_, mode) => {
  it('a call is a tree: request, tool, guardrails, request to the API', async () => {
    const { url } = await start();
    const client = await connectHttp(url, mode);
    await callTool(client, 'agent_list');
    await client.close();
    const all = await spans();
    const tool = one(all, 'tools/call agent_list');
    const request = all.find(({ spanId }) => spanId === tool.parentSpanId);
    expect(request).toMatchObject({ name: 'POST /mcp', traceId: tool.traceId, parentSpanId: undefined });
    expect(request!.attributes).toMatchObject({ 'http.route': '/mcp', 'http.response.status_code': 200 });
    expect(tool.attributes).toMatchObject({
      'mcp.method.name': 'tools/call',
      'gen_ai.operation.name': 'execute_tool',
      'gen_ai.tool.name': 'agent_list',
      'network.transport': 'tcp',
      'managed_agent_control.outcome': 'ok',
      'managed_agent_control.request_id': auditLines()[0]!.request_id,
    });
    const guardrails = one(all, 'guardrails');
    expect(guardrails).toMatchObject({ traceId: tool.traceId, parentSpanId: tool.spanId });
    expect(guardrails.attributes).toEqual({ 'guardrails.decision': 'allowed' });
    const upstream = one(all, 'anthropic.agents.list');
    expect(upstream).toMatchObject({ traceId: tool.traceId, parentSpanId: tool.spanId });
    // The API is told where it belongs, by the same names.
    const { headers } = simulator.requests.at(-1)!;
    expect(headers.traceparent).toBe(`00-${upstream.traceId}-${upstream.spanId}-01`);
    expect(headers['x-request-id']).toBe(auditLines()[0]!.request_id);
  });

  it('belongs to the trace that the client named in _meta, and is linked with the request it came in', async () => {
    const { url } = await start();
    const client = await connectHttp(url, mode);
    await client.callTool({ name: 'agent_list', arguments: {}, _meta: { traceparent, tracestate: 'vendor=1' } });
    await client.close();
    const all = await spans();
    const tool = one(all, 'tools/call agent_list');
    expect(tool).toMatchObject({ traceId: TRACE, parentSpanId: CALLER });
    const request = all.find(({ spanId }) => spanId === tool.links[0]);
    expect(request?.name).toBe('POST /mcp');
    expect(one(all, 'anthropic.agents.list')).toMatchObject({ traceId: TRACE, parentSpanId: tool.spanId });
    expect(simulator.requests.at(-1)!.headers.tracestate).toBe('vendor=1');
  });
});

it.each([
  ...ERAS.map(([era, mode]) => ['HTTP', era, mode] as const),
  ...ERAS.map(([era, mode]) => ['stdio', era, mode] as const),
])('one trace leads from the chat to the session that a call starts (%s, %s)', async (transport, _, mode) => {
  const stdio = transport === 'stdio' ? await connectStdio(serverEnv(simulator.url, otlp()), mode) : undefined;
  const client = stdio?.client ?? (await connectHttp((await start()).url, mode));
  const work = {
    agent_id: FIXTURES.agents.analyst,
    environment_id: FIXTURES.environments.cloud,
    message: 'Go',
  };
  await client.callTool({ name: 'session_start', arguments: work, _meta: { traceparent, tracestate: 'vendor=1' } });
  await client.close();
  const all = await eventually(
    'the spans of the call',
    () => spans(),
    (received) => received.some(({ name }) => name === 'tools/call session_start'),
  );
  const tool = one(all, 'tools/call session_start');
  const upstream = one(all, 'anthropic.sessions.create');
  expect(tool).toMatchObject({ traceId: TRACE, parentSpanId: CALLER });
  expect(upstream).toMatchObject({ traceId: TRACE, parentSpanId: tool.spanId });
  const { headers } = simulator.requests.find(({ method, path }) => method === 'POST' && path === '/v1/sessions')!;
  expect(headers).toMatchObject({ traceparent: `00-${TRACE}-${upstream.spanId}-01`, tracestate: 'vendor=1' });
});

const callOver = (url: string, headers: Record<string, string>, params: object = {}) =>
  send(url, { headers, body: rpc('tools/call', { name: 'agent_list', arguments: {}, ...params }) });

it('belongs to the trace that the headers name, where _meta names none', async () => {
  const { url } = await start();
  await callOver(url, { traceparent: `00-${PROXY_TRACE}-${PROXY}-01` });
  const all = await spans();
  const request = one(all, 'POST /mcp');
  expect(request).toMatchObject({ traceId: PROXY_TRACE, parentSpanId: PROXY });
  expect(one(all, 'tools/call agent_list')).toMatchObject({ traceId: PROXY_TRACE, parentSpanId: request.spanId });
});

it.each([[7], ['nonsense'], [`00-${'0'.repeat(32)}-${CALLER}-01`], [{ toString: 'x' }]])(
  'a traceparent that is none (%j) is no reason to fail',
  async (wrong) => {
    const { url } = await start();
    const { status } = await callOver(url, {}, { _meta: { traceparent: wrong } });
    expect(status).toBe(200);
    expect(one(await spans(), 'tools/call agent_list').parentSpanId).toBeDefined();
  },
);

it('what a caller does not want recorded is not, and baggage stays here', async () => {
  const { url } = await start();
  await callOver(url, { traceparent: `00-${PROXY_TRACE}-${PROXY}-00`, baggage: 'customer=secret' });
  expect(await spans()).toEqual([]);
  const { headers } = simulator.requests.at(-1)!;
  expect(headers.traceparent).toMatch(new RegExp(`^00-${PROXY_TRACE}-[\\da-f]{16}-00$`));
  expect(headers).not.toHaveProperty('baggage');
});

it('tells which rule refused, and why a call failed', async () => {
  const { url } = await start({ MCP_ALLOW_DESTRUCTIVE: 'false' });
  const client = await connectHttp(url);
  await callTool(client, 'session_delete', { session_id: 'sesn_1' });
  await callTool(client, 'session_get', { session_id: 'sesn_unknown' });
  await client.close();
  const all = await spans();
  const refused = one(all, 'tools/call session_delete');
  expect(refused.attributes).toMatchObject({ 'error.type': 'destructive', 'managed_agent_control.outcome': 'refused' });
  expect(all.find(({ parentSpanId }) => parentSpanId === refused.spanId)!.attributes).toEqual({
    'guardrails.decision': 'refused',
    'guardrails.rule': 'destructive',
  });
  expect(one(all, 'tools/call session_get').attributes).toMatchObject({ 'error.type': 'not_found_error' });
});

it('work that calls share is part of none of their traces', async () => {
  const { url } = await start();
  const client = await connectHttp(url);
  const { session_id } = await startWaiting(client, simulator, FIXTURES.agents.deployer);
  await callTool(client, 'session_wait', { session_id });
  await client.close();
  const all = await spans();
  const wait = one(all, 'tools/call session_wait');
  const stream = all.find(({ name }) => name === 'anthropic.sessions.events.stream');
  expect(stream!.parentSpanId).toBeUndefined();
  expect(stream!.traceId).not.toBe(wait.traceId);
});

it.each(ERAS)('over stdio, a call belongs to the trace of _meta (%s)', async (_, mode) => {
  const { client } = await connectStdio(serverEnv(simulator.url, otlp()), mode);
  await client.callTool({ name: 'agent_list', arguments: {}, _meta: { traceparent } });
  await client.close();
  await eventually(
    'spans arrive',
    () => receiver.spans.length,
    (count) => count >= 3,
  );
  const tool = one(receiver.spans, 'tools/call agent_list');
  expect(tool).toMatchObject({ traceId: TRACE, parentSpanId: CALLER, links: [] });
  expect(tool.attributes['network.transport']).toBe('pipe');
  expect(one(receiver.spans, 'anthropic.agents.list')).toMatchObject({ traceId: TRACE, parentSpanId: tool.spanId });
});

it('exports protobuf unless told otherwise, with the headers of the receiver', async () => {
  const { url } = await start({
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20of-the-receiver, x-tenant=a',
  });
  await callOver(url, {}, { _meta: { traceparent } });
  const all = await spans();
  expect(one(all, 'tools/call agent_list')).toMatchObject({ traceId: TRACE, parentSpanId: CALLER });
  expect(receiver.posts.map(({ path, type }) => [path, type]).sort()).toEqual([
    ['/v1/metrics', 'application/x-protobuf'],
    ['/v1/traces', 'application/x-protobuf'],
  ]);
  for (const { headers } of receiver.posts) {
    expect(headers).toMatchObject({ authorization: 'Bearer of-the-receiver', 'x-tenant': 'a' });
  }
});

it('lines of the log carry the place in the trace', async () => {
  const { url } = await start({ MCP_LOG_LEVEL: 'warn' });
  simulator.faults.add({ path: /agents/, status: 400, error: { message: 'no' } });
  await callOver(url, {}, { _meta: { traceparent } });
  expect(logLines()).toEqual([expect.objectContaining({ trace_id: TRACE, request_id: auditLines()[0]!.request_id })]);
});

it.each([
  ['nothing is set', () => ({ OTEL_EXPORTER_OTLP_ENDPOINT: '' })],
  ['OTEL_SDK_DISABLED', () => ({ OTEL_SDK_DISABLED: 'true' })],
  ['no exporters', () => ({ OTEL_TRACES_EXPORTER: 'none', OTEL_METRICS_EXPORTER: 'none' })],
])('%s: nothing is sent, neither to a receiver nor to the API', async (_, env) => {
  const { url } = await start(env());
  await callOver(url, { traceparent }, { _meta: { traceparent } });
  expect(await spans()).toEqual([]);
  expect(receiver.posts).toEqual([]);
  expect(simulator.requests.at(-1)!.headers).not.toHaveProperty('traceparent');
});

it('a receiver that is away holds up no call and no end, and is told', async () => {
  const { url } = await start({ MCP_LOG_LEVEL: 'warn' });
  await receiver.close();
  expect((await callOver(url, {})).status).toBe(200);
  await server!.close();
  server = undefined;
  receiver = await OtlpReceiver.start();
  const says = (text: string) => logLines().some(({ msg }) => msg.includes(text));
  expect(says('traces or metrics were lost')).toBe(true);
  // The exporter gives up a moment later; what it says then must not be in the log of whatever runs next.
  await eventually(
    'the exporter gives up',
    () => logMessages(),
    (all) => all.some((message) => message.includes('export failed')),
  );
});

it('no secret and no text of a call is in spans, metrics or logs', async () => {
  const canary = 'canary-words-of-a-user';
  const { url } = await start({ MCP_LOG_LEVEL: 'trace', OTEL_EXPORTER_OTLP_HEADERS: 'authorization=canary-receiver' });
  const client = await connectHttp(url, MODERN);
  const ids = { agent_id: FIXTURES.agents.deployer, environment_id: FIXTURES.environments.locked };
  const { data } = await callTool(client, 'session_start', { ...ids, message: canary, title: canary });
  await callTool(client, 'session_message', { session_id: data.session_id, text: canary });
  await callTool(client, 'session_get', { session_id: `${canary} with spaces` });
  simulator.faults.add({ path: /agents/, status: 400, error: { message: canary } });
  await callTool(client, 'agent_get', { agent_id: ids.agent_id });
  await client.callTool({ name: canary, arguments: { [canary]: canary } }).catch(() => undefined);
  await send(url, { path: `/mcp/${canary}?token=${canary}`, headers: { authorization: `Bearer ${canary}` } });
  await send(url, {
    headers: { authorization: `Bearer ${canary}`, 'user-agent': canary, 'x-request-id': `${canary} !` },
  });
  await client.close();
  expect((await spans()).length).toBeGreaterThan(10);
  const unknown = auditLines().find(({ outcome }) => outcome === 'unknown_tool');
  expect(unknown!.audit).toBe(canary);
  const logs = stderrText()
    .split('\n')
    .filter((line) => !line.startsWith('{"audit"'))
    .join('\n');
  for (const text of [receiver.text, logs]) {
    for (const secret of [canary, TOKEN, 'sk-ant-test-canary', 'canary-receiver']) expect(text).not.toContain(secret);
  }
});
