import { type Client } from '@modelcontextprotocol/client';
import { FollowService } from '../../src/managed-agents/follow/follow.service.js';
import { ask, customTool, error, FIXTURES, grade, say, spawnThread, tool, turns, wait } from '../simulator/index.js';
import { callTool, connectHttp, ERAS, type ToolAnswer } from '../support/client.js';
import { type Harness, startHarness } from '../support/harness.js';
import { TOKEN } from '../support/server.js';
import { eventually } from '../support/eventually.js';

const agent_id = FIXTURES.agents.analyst;
const environment_id = FIXTURES.environments.cloud;
const bash = { name: 'bash', input: { command: 'ls' } };

let harness: Harness;
beforeEach(async () => {
  harness = await startHarness();
});
afterEach(() => harness.close());

const call = (name: string, args: Record<string, unknown>, client = harness.client): Promise<ToolAnswer> =>
  callTool(client, name, args);

async function start(message?: string, args: Record<string, unknown> = {}): Promise<Record<string, any>> {
  return (await call('session_start', { agent_id, environment_id, message, ...args })).data;
}

const waitFor = ({ session_id, next_since: since }: Record<string, any>, args: Record<string, unknown> = {}) =>
  call('session_wait', { session_id, since, ...args });

const load = () => harness.server.app.get(FollowService).load;

describe('returns when', () => {
  it('the turn is over, with its last message and what happened', async () => {
    harness.simulator.scenarios.set(agent_id, [tool({ ...bash, result: 'a\nb' }), say('Two files.')]);
    const { data } = await waitFor(await start('Count the files'));
    expect(data).toMatchObject({
      reason: 'turn_over',
      status: 'idle',
      stop_reason: { type: 'end_turn' },
      final_message: 'Two files.',
      events: [
        { type: 'user.message', text: 'Count the files' },
        { tool: 'bash', input: { command: 'ls' } },
      ],
      next_step: expect.stringContaining('session_message') as string,
    });
    // Nothing that is empty, or told by the reason.
    for (const field of ['failed', 'pending_actions', 'has_more', 'turn']) expect(data).not.toHaveProperty(field);
    expect(load()).toEqual({ streams: 1, polling: 0, waiters: 0 });
  });

  it('an action is required, and goes on after the answer', async () => {
    harness.simulator.scenarios.set(agent_id, [ask({ ...bash, result: 'done' }), say('Ready.')]);
    const started = await start('Deploy');
    const { data } = await waitFor(started);
    expect(data).toMatchObject({
      reason: 'action_required',
      turn: 'requires_action',
      pending_actions: [{ kind: 'tool_confirmation', tool: 'bash', input: { command: 'ls' } }],
      next_step: expect.stringContaining('session_respond') as string,
    });
    const [{ tool_use_id }] = data.pending_actions as [{ tool_use_id: string }];
    const answered = await call('session_respond', { session_id: started.session_id, tool_use_id, result: 'allow' });
    const over = await waitFor({ ...started, next_since: answered.data.next_since ?? data.next_since });
    expect(over.data).toMatchObject({ reason: 'turn_over', final_message: 'Ready.' });
  });

  it('the turn failed, with the error and what helps', async () => {
    harness.simulator.scenarios.set(agent_id, [error({ type: 'billing_error', message: 'No credit' })]);
    const { data } = await waitFor(await start('Go'));
    expect(data).toMatchObject({
      reason: 'turn_over',
      failed: true,
      error: { type: 'billing_error', message: 'No credit' },
      next_step: expect.stringMatching(/error.*bill/) as string,
    });
  });

  it('a sub-agent asks while the session runs', async () => {
    harness.simulator.scenarios.set(agent_id, [
      spawnThread({ agentName: 'helper', steps: [ask(bash), say('done')], join: false } as never),
      wait(60_000),
      say('all done'),
    ]);
    const { data } = await waitFor(await start('Go'));
    expect(data).toMatchObject({ reason: 'action_required', status: 'running' });
    expect(data.pending_actions).toEqual([
      expect.objectContaining({ session_thread_id: expect.stringMatching(/^sthr_/) as string }),
    ]);
  });

  it('a custom tool asks', async () => {
    harness.simulator.scenarios.set(agent_id, [customTool({ name: 'ask_user', input: { q: 'Which?' } })]);
    const { data } = await waitFor(await start('Go'));
    expect(data).toMatchObject({
      reason: 'action_required',
      pending_actions: [{ kind: 'custom_tool_result' }],
      next_step: expect.stringContaining('custom_result') as string,
    });
  });

  it('the session is deleted or archived meanwhile', async () => {
    const { simulator } = harness;
    for (const [end, reason] of [
      ['delete', 'deleted'],
      ['archive', 'terminated'],
    ] as const) {
      const started = await start();
      const streams = simulator.requests.filter(({ path }) => path.endsWith('/stream')).length;
      const waiting = waitFor(started);
      await opened(streams + 1);
      simulator.world.sessions[end](started.session_id as string);
      expect((await waiting).data).toMatchObject({ reason, status: reason });
    }
  });
});

/** Until the simulator has accepted so many streams in all. */
async function opened(count: number): Promise<void> {
  const streams = () => harness.simulator.requests.filter(({ path }) => path.endsWith('/events/stream')).length;
  await eventually('streams of the API', streams, (open) => open >= count);
}

it('does not take the idle of a session that was never asked anything for a result', async () => {
  const { data } = await waitFor(await start(), { timeout_seconds: 1 });
  expect(data).toMatchObject({ reason: 'timeout', turn: 'not_started', events: [] });
});

it('delivers what has happened when the time is up, and the rest after it', async () => {
  harness.simulator.scenarios.set(agent_id, [say('So far.'), wait(60_000)]);
  const started = await start('Go');
  const { data } = await waitFor(started, { timeout_seconds: 1 });
  expect(data).toMatchObject({
    reason: 'timeout',
    status: 'running',
    events: [{ type: 'user.message' }, { type: 'agent.message', text: 'So far.' }],
  });
  expect((await waitFor({ ...started, next_since: data.next_since }, { timeout_seconds: 1 })).data.events).toEqual([]);
});

it('does not take the end of the turn before for the answer to a message just sent', async () => {
  harness.simulator.scenarios.set(agent_id, turns([say('one')], [wait(300), say('two')]));
  const started = await start('first');
  expect((await waitFor(started)).data.final_message).toBe('one');
  const sent = await call('session_message', { session_id: started.session_id, text: 'second' });
  const { data } = await waitFor({ ...started, next_since: sent.data.next_since });
  expect(data).toMatchObject({ reason: 'turn_over', final_message: 'two' });
});

it.each([
  [0, '1 was used'],
  [-5, '1 was used'],
  [1.5, undefined],
])('a timeout of %d seconds is cut to what is allowed, and said', async (timeout_seconds, note) => {
  const { data } = await waitFor(await start(), { timeout_seconds });
  expect(data.reason).toBe('timeout');
  if (note) expect(data.note).toContain(note);
  else expect(data.note).toBeUndefined();
});

it('a timeout above the limit is cut to it', async () => {
  harness.simulator.scenarios.set(agent_id, [say('quick')]);
  const { data } = await waitFor(await start('Go'), { timeout_seconds: 3600 });
  expect(data).toMatchObject({ reason: 'turn_over', note: expect.stringContaining('50 was used') as string });
});

it('refuses unknown sessions, and cursors of another session', async () => {
  const unknown = await waitFor({ session_id: 'sesn_unknown' });
  expect(unknown).toMatchObject({ isError: true, text: expect.stringContaining('not found') as string });
  const [one, other] = [await start(), await start()];
  const foreign = await waitFor({ session_id: one.session_id, next_since: other.next_since });
  expect(foreign).toMatchObject({ isError: true, text: expect.stringContaining('another session') as string });
});

it('judgements of an outcome are told while the agent goes on', async () => {
  harness.simulator.scenarios.set(agent_id, function* ({ outcome }) {
    if (outcome?.iteration === 1) yield wait(60_000);
    yield say('draft');
    yield grade('needs_revision', 'Too short');
  });
  const started = await start();
  await call('session_message', {
    session_id: started.session_id,
    outcome: { description: 'A report', rubric: 'Long' },
  });
  const { data } = await waitFor(started);
  expect(data).toMatchObject({
    reason: 'outcome_evaluated',
    outcome_evaluation: { result: 'needs_revision', explanation: 'Too short' },
  });
});

describe.each(ERAS)('a client of %s', (_, mode) => {
  let client: Client;
  beforeEach(async () => {
    client = await connectHttp(harness.server.url, mode, TOKEN);
  });
  afterEach(() => client.close());

  it('gets the answer, and its cursor delivers each event once', async () => {
    harness.simulator.scenarios.set(agent_id, turns([say('one')], [say('two')]));
    const started = await start('first');
    const first = await callTool(client, 'session_wait', { session_id: started.session_id, since: started.next_since });
    expect(first.data).toMatchObject({ reason: 'turn_over', final_message: 'one' });
    const rest = await callTool(client, 'session_events', {
      session_id: started.session_id,
      since: first.data.next_since,
    });
    expect(rest.data).toMatchObject({ count: 0, has_more: false });
  });

  /** Well below the time that a wait takes which nobody ends. */
  const NOTICED_MS = 20_000;

  it.each<[string, (leave: AbortController) => unknown]>([
    ['goes away', () => client.close()],
    // Over stateless HTTP, an earlier client's notice that it cancels names no call that could be found.
    ...(mode === 'legacy'
      ? []
      : [['cancels', (leave) => leave.abort()] as [string, (leave: AbortController) => unknown]]),
  ])(
    'that %s releases the stream of the API',
    async (__, end) => {
      const started = await start();
      const leave = new AbortController();
      const waiting = client.callTool(
        { name: 'session_wait', arguments: { session_id: started.session_id } },
        { signal: leave.signal },
      );
      await opened(1);
      const { log } = harness.simulator.world.sessions.get(started.session_id as string);
      expect(log.subscribers).toBe(1);
      const rejected = expect(waiting).rejects.toThrow();
      await end(leave);
      await rejected;
      await eventually(
        'followers of the session',
        () => log.subscribers,
        (left) => left === 0,
      );
      expect(load()).toEqual({ streams: 0, polling: 0, waiters: 0 });
    },
    NOTICED_MS,
  );
});

it('many who wait for one session share one stream', async () => {
  harness.simulator.scenarios.set(agent_id, turns([wait(500), say('done')]));
  const started = await start('Go');
  const answers = await Promise.all(Array.from({ length: 20 }, () => waitFor(started)));
  for (const { data } of answers) expect(data).toMatchObject({ reason: 'turn_over', final_message: 'done' });
  const streams = harness.simulator.requests.filter(({ path }) => path.endsWith('/events/stream'));
  const lists = harness.simulator.requests.filter(({ path, method }) => method === 'GET' && path.endsWith('/events'));
  expect(streams).toHaveLength(1);
  // Reads grow with changes and with time, not with waits: without sharing these were 20 at least.
  expect(lists.length).toBeLessThanOrEqual(12);
});

describe('when the API', () => {
  const streamPath = /\/events\/stream$/;
  const listPath = /\/events$/;

  it('refuses streams, it is polled', async () => {
    harness.simulator.faults.add({ path: streamPath, status: 404, times: Infinity });
    harness.simulator.scenarios.set(agent_id, [wait(700), say('done')]);
    expect((await waitFor(await start('Go'))).data).toMatchObject({ reason: 'turn_over', final_message: 'done' });
  });

  it('cuts streams in the middle of a frame, nothing is lost', async () => {
    harness.simulator.faults.add({ path: streamPath, truncateAfter: 2, times: 3 });
    harness.simulator.scenarios.set(agent_id, [say('a'), wait(300), say('b'), wait(300), say('c')]);
    const { data } = await waitFor(await start('Go'));
    expect(data).toMatchObject({ reason: 'turn_over', final_message: 'c' });
    expect((data.events as { text?: string }[]).map(({ text }) => text)).toEqual(['Go', 'a', 'b']);
  });

  const frame = (data: string) => `event: message\ndata: ${data}\n\n`;
  const bigEvent = JSON.stringify({ id: 'sevt_big', type: 'agent.mystery', text: 'x'.repeat(10_000_000) });

  it.each([
    ['text that is no JSON', frame('{oops')],
    ['bytes that are no events', '\0\xff\r\r\n\n:::\n\ndata\n\n'],
    ['values that are no events', ['null', '5', '"text"', '[]', '{}', '{"type":5}'].map(frame).join('')],
    ['events of other names', 'event: mystery\ndata: {"type":"session.status_idle"}\n\n'],
    ['an event of 10 MB', frame(bigEvent)],
    ['an event of 10 MB that is no JSON', frame(bigEvent.slice(1))],
  ])('sends %s, nothing is lost and nothing is left open', async (__, garbled) => {
    harness.simulator.faults.add({ path: streamPath, garbled });
    harness.simulator.scenarios.set(agent_id, [say('a'), wait(300), say('b')]);
    const { data } = await waitFor(await start('Go'));
    expect(data).toMatchObject({ reason: 'turn_over', final_message: 'b' });
    expect((data.events as { text?: string }[]).map(({ text }) => text)).toEqual(['Go', 'a']);
    harness.server.app.get(FollowService).onApplicationShutdown();
    expect(load()).toEqual({ streams: 0, polling: 0, waiters: 0 });
  });

  it('opens a stream and shows nothing, what happened since is found all the same', async () => {
    harness.simulator.faults.add({ path: streamPath, mute: true, times: Infinity });
    harness.simulator.scenarios.set(agent_id, [wait(500), say('done')]);
    expect((await waitFor(await start('Go'))).data).toMatchObject({ reason: 'turn_over', final_message: 'done' });
  });

  it.each([429, 529, 500])('answers %d to lists for a while, the wait holds out', async (status) => {
    harness.simulator.faults.add({ path: listPath, method: 'GET', status, times: 2 });
    harness.simulator.scenarios.set(agent_id, [say('done')]);
    const started = await start('Go');
    await harness.simulator.settle();
    expect((await waitFor(started)).data).toMatchObject({ reason: 'turn_over', final_message: 'done' });
  });

  it('refuses for the whole time, its refusal is the answer', async () => {
    const started = await start('Go');
    harness.simulator.faults.add({ path: listPath, method: 'GET', status: 429, times: Infinity });
    const answer = await waitFor(started, { timeout_seconds: 1 });
    expect(answer).toMatchObject({ isError: true, text: expect.stringContaining('limit') as string });
    expect(load().waiters).toBe(0);
  });
});

describe('as many sessions as the server may follow', () => {
  let limited: Harness;
  beforeEach(async () => {
    limited = await startHarness({ env: { MCP_MAX_STREAMS: '1' } });
  });
  afterEach(() => limited.close());

  it('refuses to wait for another one, and says what to do instead', async () => {
    const { client, simulator } = limited;
    simulator.scenarios.set(agent_id, turns([wait(60_000), say('done')]));
    const begin = async (message?: string) =>
      (await call('session_start', { agent_id, environment_id, message }, client)).data.session_id as string;
    const [one, other] = [await begin('Go'), await begin()];
    const follow = limited.server.app.get(FollowService);
    const waiting = call('session_wait', { session_id: one, timeout_seconds: 2 }, client);
    await eventually('waiters', () => follow.load.waiters);
    const refused = await call('session_wait', { session_id: other }, client);
    expect(refused).toMatchObject({
      isError: true,
      text: expect.stringMatching(/MCP_MAX_STREAMS.*session_get/) as string,
    });
    expect((await waiting).data).toMatchObject({ reason: 'timeout', status: 'running' });
    // The stream that lingers gives way to another one.
    expect((await call('session_wait', { session_id: other, timeout_seconds: 1 }, client)).data.reason).toBe('timeout');
    expect(follow.load).toEqual({ streams: 1, polling: 0, waiters: 0 });
  });
});
