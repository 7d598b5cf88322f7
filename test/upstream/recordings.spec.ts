/** What the API sends, through the whole server: a recording on one side, an MCP client on the other. */
import { type Client } from '@modelcontextprotocol/client';
import { callTool, connectHttp } from '../support/client.js';
import { type Exchange, recording, type RecordedEvent, type Replay, replay } from '../support/recordings.js';
import { serverEnv, startServer, type TestServer } from '../support/server.js';

const SESSION = 'sesn_01vt5ovnetZJjHrkZLHMUig9';

let upstream: Replay;
let server: TestServer;
let client: Client;
afterEach(async () => {
  await client.close();
  await server.close();
  await upstream.close();
});

const exchanges = () => recording<{ exchanges: Exchange[] }>('turn-with-tool').exchanges;

async function serve(events: readonly RecordedEvent[]): Promise<void> {
  upstream = await replay(exchanges(), events);
  server = await startServer(serverEnv(upstream.url));
  client = await connectHttp(server.url);
}

const call = async (name: string, args: Record<string, unknown> = { session_id: SESSION }) => {
  const answer = await callTool(client, name, args);
  expect(answer.isError ? answer.text : '').toBe('');
  return answer.data;
};

/** The situation when the first `happened` events of the log are listed. */
async function situationAfter(happened: number): Promise<Record<string, any>> {
  upstream.happened = happened;
  return call('session_get');
}

/** Polls with the cursor after every single event, and returns what came. */
async function pollEachStep(events: readonly RecordedEvent[]): Promise<{ id: string; type: string }[]> {
  const seen: { id: string; type: string }[] = [];
  let since: string | undefined;
  for (let happened = 0; happened <= events.length; happened++) {
    upstream.happened = happened;
    const batch = await call('session_events', { session_id: SESSION, format: 'detailed', ...(since && { since }) });
    seen.push(...(batch.events as { id: string; type: string }[]));
    since = batch.next_since as string;
  }
  return seen;
}

/** Events without an id in the recording get one, so that they can be told apart. */
const withIds = (events: readonly RecordedEvent[]): RecordedEvent[] =>
  events.map((event, index) => ({ id: `sevt_unnamed${index}`, ...event }));
const indexOf = (events: readonly RecordedEvent[], type: string) => events.findIndex((event) => event.type === type);

describe('turn-with-tool', () => {
  const events = () => exchanges().find(({ response }) => response.events)!.response.events!;

  it('lists and starts with the recorded bodies', async () => {
    await serve([]);
    expect(await call('environment_list', { limit: 1 })).toMatchObject({
      environments: [{ id: 'env_01XXsHEkHuffJ7ABo3iYf6EK', name: 'calculation-env' }],
      has_more: true,
      next_page: 'page_ZW52XzAxWFhzSEVrSHVmZko3QUJvM2lZZjZFS3wx',
    });
    const started = await call('session_start', {
      agent_id: 'agent_01Tx7E71L1xm7gVrMQuwvSQm',
      environment_id: 'env_01XXsHEkHuffJ7ABo3iYf6EK',
    });
    expect(started).toMatchObject({ session_id: SESSION, status: 'idle', message_sent: false });
    expect(await call('session_get')).toMatchObject({
      turn: 'not_started',
      stop_reason: null,
      title: 'A sum for the stream',
      agent: {
        id: 'agent_01Tx7E71L1xm7gVrMQuwvSQm',
        name: 'calculator',
        version: 1,
        model: 'claude-haiku-4-5',
      },
      cost_usd: 0,
    });
  });

  it('the turn is running until its idle event, and over then', async () => {
    const recorded = events();
    await serve(recorded);
    for (let happened = 1; happened < recorded.length; happened++) {
      expect(await situationAfter(happened)).toMatchObject({
        turn: 'running',
        status: 'running',
        stop_reason: null,
        pending_actions: [],
      });
    }
    expect(await situationAfter(recorded.length)).toMatchObject({
      turn: 'over',
      status: 'idle',
      failed: false,
      stop_reason: { type: 'end_turn' },
    });
  });

  it('the concise transcript tells the story', async () => {
    await serve(events());
    const { events: entries } = await call('session_events');
    expect((entries as Record<string, unknown>[]).map(({ at: _at, id: _id, ...entry }) => entry)).toEqual([
      { type: 'session.status_running' },
      {
        type: 'user.message',
        text: 'What is 17 + 25? Use bash once and answer with the number alone.',
        omitted_before: 1,
      },
      { type: 'agent.tool_use', tool: 'bash', input: '{"command":"echo $((17 + 25))"}', omitted_before: 2 },
      { type: 'agent.tool_result', tool_use_id: 'sevt_01RJULd2Qt1kpGqmErmzk6X3', result: '42\n', omitted_before: 1 },
      { type: 'agent.message', text: '42', omitted_before: 1 },
      { type: 'session.status_idle', stop_reason: { type: 'end_turn' }, omitted_before: 3 },
    ]);
  });

  it('the cursor delivers each event once, in order, polled after every event', async () => {
    const recorded = events();
    await serve(recorded);
    expect(await pollEachStep(recorded)).toEqual(recorded);
  });
});

describe('approval-denied', () => {
  const events = () => withIds(recording<{ listed: RecordedEvent[] }>('approval-denied').listed);

  it('waits for the tool, goes on after the denial, and is over', async () => {
    const recorded = events();
    await serve(recorded);
    const asked = indexOf(recorded, 'session.status_idle') + 1;
    expect(await situationAfter(asked)).toMatchObject({
      turn: 'requires_action',
      status: 'idle',
      stop_reason: { type: 'requires_action', event_ids: ['TOOL_USE'] },
      pending_actions: [
        { tool_use_id: 'TOOL_USE', kind: 'tool_confirmation', tool: 'bash', since: '2026-05-20T18:09:24.763115Z' },
      ],
    });
    expect(await situationAfter(asked + 1)).toMatchObject({ turn: 'queued', pending_actions: [], stop_reason: null });
    expect(await situationAfter(asked + 2)).toMatchObject({ turn: 'running', status: 'running', pending_actions: [] });
    expect(await situationAfter(recorded.length)).toMatchObject({
      turn: 'over',
      failed: false,
      stop_reason: { type: 'end_turn' },
    });
  });

  it('shows the denial and its reason', async () => {
    await serve(events());
    const { events: entries } = await call('session_events');
    expect(entries).toContainEqual(
      expect.objectContaining({ type: 'agent.tool_use', tool: 'bash', permission: 'ask' }),
    );
    expect(entries).toContainEqual(expect.objectContaining({ result: 'deny', deny_message: 'Not on this machine.' }));
    expect(entries).toContainEqual(
      expect.objectContaining({ type: 'agent.tool_result', tool_use_id: 'TOOL_USE', is_error: true }),
    );
  });

  it('the cursor delivers each event once, in order', async () => {
    const recorded = events();
    await serve(recorded);
    expect(await pollEachStep(recorded)).toEqual(recorded);
  });
});

describe('message-while-running', () => {
  const listed = () => withIds(recording<{ listed: RecordedEvent[] }>('message-while-running').listed);

  it('one turn takes both messages, and ends once', async () => {
    const recorded = listed();
    await serve(recorded);
    for (let happened = 1; happened < recorded.length; happened++) {
      expect(await situationAfter(happened)).toMatchObject({ turn: 'running' });
    }
    expect(await situationAfter(recorded.length)).toMatchObject({ turn: 'over', stop_reason: { type: 'end_turn' } });
  });

  it('while the second message waits in the queue, the turn cannot be over', async () => {
    const recorded = listed();
    const queued = recorded.map((event) => (event.which === 'B' ? { ...event, processed_at: null } : event));
    await serve([...queued.filter((event) => event.which !== 'B'), ...queued.filter((event) => event.which === 'B')]);
    expect(await call('session_get')).toMatchObject({ turn: 'queued', queued_inputs: 1 });
  });

  it('the cursor delivers each event once, in order', async () => {
    const recorded = listed();
    await serve(recorded);
    expect(await pollEachStep(recorded)).toEqual(recorded);
  });
});
