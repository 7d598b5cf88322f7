import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FIXTURES } from '../simulator/index.js';
import { callTool } from '../support/client.js';
import { call as rpc, send } from '../support/rpc.js';
import { REFUSED_URL } from '../support/ports.js';
import { serverEnv, startServer } from '../support/server.js';
import { valuesOf } from './exposition.js';
import { OtlpReceiver } from './otlp-receiver.js';
import { type Measured, playScenario, SCENARIO_ENV, startMeasured } from './scenario.js';

const OURS = 'managed_agent_control_';
/** Of a counter, the series that have counted: those that alerts compare are there from 0 on. */
const counted = (values: Record<string, number>) =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value > 0));
const folder = mkdtempSync(join(tmpdir(), 'metrics-'));
afterAll(() => rmSync(folder, { recursive: true }));

let measured: Measured;
afterEach(() => measured.close());

it('counts what happened, exactly', async () => {
  measured = await startMeasured({ env: SCENARIO_ENV(join(folder, 'audit.log'), REFUSED_URL) });
  await playScenario(measured.client, measured.simulator, measured.server.url);
  const series = await measured.scrape();
  const values = (name: string) => valuesOf(series, `${OURS}${name}`);
  const calls = {
    'agent_list ok': 2,
    'environment_list ok': 1,
    'session_delete refused': 1,
    'session_get failed': 1,
    'session_get invalid': 1,
    'session_get ok': 1,
    'session_start ok': 3,
    'session_start refused': 1,
    'session_wait ok': 1,
    'unknown unknown_tool': 1,
  };
  expect(counted(values('tool_calls_total'))).toEqual(calls);
  expect(values('tool_call_duration_seconds_count')).toEqual(calls);
  expect(values('tool_calls_in_flight')).toEqual({ '': 0 });
  expect(counted(values('refusals_total'))).toEqual({
    'session_delete destructive': 1,
    'session_start starts_per_hour': 1,
  });
  expect(values('rate_limit_decisions_total')).toMatchObject({
    'calls allowed': 10,
    'calls refused': 0,
    'starts allowed': 3,
    'starts refused': 1,
    'running_sessions allowed': 4,
  });
  expect(values('sessions_started_total')).toEqual({ limited: 1, unlimited: 2 });
  expect(values('budget_committed_usd_total')).toEqual({ '': 2.5 });
  expect(counted(values('auth_failures_total'))).toEqual({ missing: 1, unknown_token: 1 });
  expect(values('upstream_requests_total')).toMatchObject({
    'agents.list 200 false': 2,
    'sessions.create 200 false': 3,
    'sessions.events.stream 200 false': 1,
    'environments.list 529 false': 1,
    'environments.list 200 true': 1,
  });
  expect(values('upstream_request_duration_seconds_count')).toMatchObject({ 'agents.list': 2, 'environments.list': 2 });
  expect(values('streams')).toEqual({ '': 1 });
  expect(values('waiters')).toEqual({ '': 0 });
  expect(values('streams_limit')).toEqual({ '': 500 });
  expect(values('stream_connections_total')).toEqual({ opened: 1, lost: 0 });
  expect(values('audit_sink_up')).toEqual({ file: 1, http: 0 });
  expect(values('limit_store_up')).toEqual({ '': 1 });
});

it('knows how many calls wait for an answer, as far as it has seen, and forgets what it has answered', async () => {
  measured = await startMeasured({ env: { MCP_ALLOW_DESTRUCTIVE: 'false' } });
  const { client, simulator, server } = measured;
  const session_id = await playScenario(client, simulator, server.url);
  const waiting = async () => valuesOf(await measured.scrape(), `${OURS}approvals_waiting`)[''];
  const { data } = await callTool(client, 'session_get', { session_id });
  const pending_actions = data.pending_actions as { tool_use_id: string }[];
  expect(await waiting()).toBe(pending_actions.length);
  const requests = simulator.requests.length;
  await measured.scrape();
  expect(simulator.requests).toHaveLength(requests);
  const tool_use_ids = pending_actions.map(({ tool_use_id }) => tool_use_id);
  expect((await callTool(client, 'session_respond', { session_id, tool_use_ids, result: 'allow' })).isError).toBe(
    false,
  );
  expect(await waiting()).toBe(0);
});

it('adds up what sessions spend, as callers see it', async () => {
  measured = await startMeasured();
  const { client, simulator } = measured;
  const cost = async () => valuesOf(await measured.scrape(), `${OURS}session_cost_usd_total`)[''];
  const { data } = await callTool(client, 'session_start', {
    agent_id: FIXTURES.agents.analyst,
    environment_id: FIXTURES.environments.cloud,
    message: 'Look into it.',
  });
  const { session_id, next_since: since } = data;
  expect(await cost()).toBe(0);
  await simulator.settle();
  const { cost_usd } = (await callTool(client, 'session_wait', { session_id, since })).data;
  expect(cost_usd).toBeGreaterThan(0);
  expect(await cost()).toBe(cost_usd);
  await callTool(client, 'session_get', { session_id });
  await callTool(client, 'session_list');
  expect(await cost()).toBe(cost_usd);
});

it('callers cannot add series: 1,000 hostile names and ids leave one for each place they came to', async () => {
  measured = await startMeasured({ env: { MCP_LOG_LEVEL: 'fatal' } });
  const { server } = measured;
  const hostile = (count: number) =>
    Array.from({ length: count }, (_, index) => [
      rpc('tools/call', { name: `tool_${index}_"}\n{evil="1`, arguments: {} }),
      rpc('tools/call', { name: 'session_get', arguments: { session_id: `sesn_${index}` } }),
      rpc('tools/call', { name: 'agent_get', arguments: { agent_id: `agent/${index}` } }),
      rpc('tools/call', { name: 'session_delete', arguments: { session_id: `sesn_x${index}` } }),
    ]).flat();
  const sendAll = async (bodies: object[]) => {
    while (bodies.length > 0) await Promise.all(bodies.splice(0, 50).map((body) => send(server.url, { body })));
  };
  await sendAll(hostile(1));
  const before = (await measured.scrape()).filter(({ name }) => name.startsWith(OURS));
  await sendAll(hostile(250));
  const after = (await measured.scrape()).filter(({ name }) => name.startsWith(OURS));
  expect(after.map(({ name, labels }) => [name, labels])).toEqual(before.map(({ name, labels }) => [name, labels]));
  expect(counted(valuesOf(after, `${OURS}tool_calls_total`))).toEqual({
    'unknown unknown_tool': 251,
    'session_get failed': 251,
    'agent_get invalid': 251,
    'session_delete failed': 251,
  });
}, 900_000);

it('the same counts go over OTLP', async () => {
  const receiver = await OtlpReceiver.start();
  measured = await startMeasured({
    env: {
      OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: `${receiver.url}/v1/metrics`,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    },
  });
  await callTool(measured.client, 'agent_list');
  const scraped = valuesOf(await measured.scrape(), `${OURS}tool_calls_total`);
  await measured.server.close();
  expect(receiver.posts.map(({ path }) => path)).toEqual(['/v1/metrics']);
  const sent = receiver.metrics.find(({ name }) => name === `${OURS}tool_calls`);
  expect(sent?.points).toContainEqual({ attributes: { tool: 'agent_list', outcome: 'ok' }, value: 1 });
  expect(counted(scraped)).toEqual({ 'agent_list ok': 1 });
  await receiver.close();
});

it('holds no secret, no id and no text, and is served on the management port alone', async () => {
  measured = await startMeasured();
  const { client, simulator, server } = measured;
  const session_id = await playScenario(client, simulator, server.url);
  const text = await measured.text();
  for (const part of [session_id, FIXTURES.agents.deployer, 'sk-ant', 'static-bearer'])
    expect(text).not.toContain(part);
  expect((await send(server.url, { method: 'GET', path: '/metrics' })).status).toBe(404);
  const answer = await fetch(`${measured.managementUrl}/metrics`);
  expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
});

it('OTEL_SDK_DISABLED leaves nothing to be read', async () => {
  measured = await startMeasured({ env: { OTEL_SDK_DISABLED: 'true' } });
  expect((await fetch(`${measured.managementUrl}/metrics`)).status).toBe(404);
});

it.each([
  ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:4318'],
  ['OTEL_EXPORTER_OTLP_PROTOCOL', 'grpc'],
  ['OTEL_EXPORTER_OTLP_HEADERS', 'no-pair'],
  ['OTEL_EXPORTER_OTLP_HEADERS', 'a=%zz'],
  ['OTEL_RESOURCE_ATTRIBUTES', 'no pair'],
  ['OTEL_TRACES_SAMPLER', 'sometimes'],
  ['OTEL_TRACES_SAMPLER_ARG', '0.5'],
  ['OTEL_SDK_DISABLED', 'maybe'],
  ['OTEL_METRIC_EXPORT_INTERVAL', '10'],
  ['OTEL_TRACES_EXPORTER', 'jaeger'],
])('%s=%s refuses to start', async (name, value) => {
  measured = { close: () => Promise.resolve() } as Measured;
  await expect(startServer(serverEnv('http://127.0.0.1:1', { [name]: value }))).rejects.toThrow(name);
});
