import { type Client } from '@modelcontextprotocol/client';
import { FIXTURES, Simulator } from '../simulator/index.js';
import { callTool, connectHttp, connectStdio, ERAS } from '../support/client.js';
import { serverEnv, startServer, type TestServer } from '../support/server.js';

const { deployer, analyst } = FIXTURES.agents;
const { locked, cloud } = FIXTURES.environments;

/** The whole job of the product, as a client experiences it. */
async function driveTheLoop(client: Client, simulator: Simulator): Promise<void> {
  const found = await callTool(client, 'agent_list');
  expect(found.data.agents).toContainEqual(expect.objectContaining({ id: deployer, name: 'deployer' }));

  const started = await callTool(client, 'session_start', {
    agent_id: deployer,
    environment_id: locked,
    vault_ids: [FIXTURES.vaults.github],
    memory_store_ids: [FIXTURES.memoryStores.runbooks],
    message: 'Deploy release 42',
  });
  expect(started.data).toMatchObject({ status: 'running', message_sent: true });
  const session_id = started.data.session_id as string;
  await simulator.settle(session_id);

  const waiting = await callTool(client, 'session_get', { session_id });
  expect(waiting.data).toMatchObject({ turn: 'requires_action', stop_reason: { type: 'requires_action' } });
  const [action] = waiting.data.pending_actions as {
    tool_use_id: string;
    kind: string;
    tool: string;
    input: unknown;
  }[];
  expect(action).toMatchObject({
    kind: 'tool_confirmation',
    tool: 'bash',
    input: { command: expect.any(String) as string },
  });

  const responded = await callTool(client, 'session_respond', {
    session_id,
    tool_use_id: action!.tool_use_id,
    result: 'allow',
  });
  expect(responded.data).toMatchObject({ ok: true, result: 'allow' });
  await simulator.settle(session_id);

  let situation = await callTool(client, 'session_get', { session_id });
  for (let calls = 0; situation.data.turn === 'requires_action' && calls < 5; calls++) {
    const tool_use_ids = (situation.data.pending_actions as { tool_use_id: string }[]).map((each) => each.tool_use_id);
    await callTool(client, 'session_respond', { session_id, tool_use_ids, result: 'deny', deny_message: 'Enough.' });
    await simulator.settle(session_id);
    situation = await callTool(client, 'session_get', { session_id });
  }
  expect(situation.data).toMatchObject({ turn: 'over', failed: false, status: 'idle', pending_actions: [] });

  const events = await callTool(client, 'session_events', { session_id });
  const types = (events.data.events as { type: string }[]).map((event) => event.type);
  expect(types).toEqual(
    expect.arrayContaining(['user.message', 'agent.tool_use', 'agent.tool_result', 'agent.message']),
  );

  await callTool(client, 'session_message', { session_id, text: 'Thank you' });
  await simulator.settle(session_id);
  const since = events.data.next_since as string;
  const reply = await callTool(client, 'session_events', { session_id, since });
  expect(reply.data.events).toContainEqual(expect.objectContaining({ type: 'user.message', text: 'Thank you' }));

  const interrupted = await callTool(client, 'session_interrupt', { session_id, then_message: 'Stop' });
  expect(interrupted.data).toMatchObject({ ok: true, redirected: true });
  await simulator.settle(session_id);
  await callTool(client, 'session_interrupt', { session_id });
  await simulator.settle(session_id);

  const listed = await callTool(client, 'session_list', { agent_id: deployer });
  expect(listed.data.sessions).toContainEqual(expect.objectContaining({ id: session_id }));

  const archived = await callTool(client, 'session_archive', { session_id });
  expect(archived.data).toMatchObject({ ok: true, archived: true });
  const ended = await callTool(client, 'session_get', { session_id });
  expect(ended.data).toMatchObject({ status: 'terminated' });

  const other = await callTool(client, 'session_start', { agent_id: analyst, environment_id: cloud });
  expect(other.data).toMatchObject({ status: 'idle', message_sent: false });
  const deleted = await callTool(client, 'session_delete', { session_id: other.data.session_id });
  expect(deleted.data).toMatchObject({ ok: true, deleted: true });
  const gone = await callTool(client, 'session_get', { session_id: other.data.session_id });
  expect(gone.isError).toBe(true);
  expect(gone.text).toMatch(/^Not found/);
}

let simulator: Simulator;
beforeEach(async () => {
  simulator = await Simulator.start({ fixtures: true });
});
afterEach(() => simulator.close());

describe.each(ERAS)('a %s client', (_version, mode) => {
  let server: TestServer;
  afterEach(() => server.close());

  it('discovers, starts, observes, approves, answers and ends over HTTP', async () => {
    server = await startServer(serverEnv(simulator.url));
    const client = await connectHttp(server.url, mode);
    await driveTheLoop(client, simulator);
    await client.close();
  });
});

describe.each(ERAS)('a %s client', (_version, mode) => {
  it('discovers, starts, observes, approves, answers and ends over stdio', async () => {
    const { client, stderr } = await connectStdio(serverEnv(simulator.url), mode);
    await driveTheLoop(client, simulator);
    await client.close();
    expect(stderr()).toContain('"audit":"session_start"');
  });
});
