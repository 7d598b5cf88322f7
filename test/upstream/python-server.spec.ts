/**
 * What the Python server (or the fake it is tested with) gets wrong about the real API. Each behaviour has a test here
 * that shows ours.
 */
import { ask, error, FIXTURES, say, together, tool, turns } from '../simulator/index.js';
import { callTool } from '../support/client.js';
import { type Harness, startHarness } from '../support/harness.js';

const agent_id = FIXTURES.agents.analyst;
const environment_id = FIXTURES.environments.cloud;

let harness: Harness;
afterEach(() => harness.close());

const call = (name: string, args: Record<string, unknown> = {}) => callTool(harness.client, name, args);

async function begin(message?: string): Promise<string> {
  const { data } = await call('session_start', { agent_id, environment_id, ...(message !== undefined && { message }) });
  return data.session_id as string;
}
const situation = async (session_id: string) => (await call('session_get', { session_id })).data;

describe('turns', () => {
  it('trap 1: an idle that waits for approval is not done', async () => {
    harness = await startHarness();
    harness.simulator.scenarios.set(agent_id, [ask({ name: 'bash', input: { command: 'ls' } }), say('Done.')]);
    const session_id = await begin('Go');
    await harness.simulator.settle();
    expect(await situation(session_id)).toMatchObject({
      status: 'idle',
      turn: 'requires_action',
      stop_reason: { type: 'requires_action' },
    });
  });

  it('trap 2: a new session is idle and not done', async () => {
    harness = await startHarness();
    expect(await situation(await begin())).toMatchObject({ status: 'idle', turn: 'not_started', stop_reason: null });
  });

  it('trap 3: right after a message the session object still says idle, the turn does not', async () => {
    harness = await startHarness({ simulator: { agentPace: 'manual', statusLagMs: 60_000 } });
    const session_id = await begin();
    await call('session_message', { session_id, text: 'Go' });
    expect(harness.simulator.world.sessions.get(session_id).status.visible).toBe('idle');
    expect(await situation(session_id)).toMatchObject({ turn: 'queued', queued_inputs: 1 });
    harness.simulator.step(session_id);
    expect(await situation(session_id)).toMatchObject({ turn: 'running', status: 'running' });
  });

  it.each(['session_archive', 'session_delete'])('trap 4: %s waits out the lag after a turn', async (tool) => {
    harness = await startHarness({ simulator: { statusLagMs: 600 } });
    const session_id = await begin('Go');
    await harness.simulator.settle();
    expect(harness.simulator.world.sessions.get(session_id).status.visible).toBe('running');
    expect(await call(tool, { session_id })).toMatchObject({ isError: false, data: { ok: true } });
  });

  it('trap 5: an idle after a session.error is a failed turn', async () => {
    harness = await startHarness();
    const failure = { type: 'model_overloaded_error', message: 'Overloaded', retry_status: 'exhausted' as const };
    harness.simulator.scenarios.set(agent_id, turns([error(failure)], [say('Better now.')]));
    const session_id = await begin('Go');
    await harness.simulator.settle();
    expect(await situation(session_id)).toMatchObject({
      turn: 'over',
      failed: true,
      stop_reason: { type: 'retries_exhausted' },
      error: { type: 'model_overloaded_error', message: 'Overloaded' },
    });
    await call('session_message', { session_id, text: 'Again' });
    await harness.simulator.settle();
    expect(await situation(session_id)).toMatchObject({ turn: 'over', failed: false });
  });

  it('trap 6: one idle answers several messages', async () => {
    harness = await startHarness({ simulator: { agentPace: 'manual' } });
    harness.simulator.scenarios.set(agent_id, [tool({ name: 'bash', result: 'ok' }), say('Both.')]);
    const session_id = await begin('First');
    harness.simulator.step(session_id);
    await call('session_message', { session_id, text: 'Second' });
    expect(await situation(session_id)).toMatchObject({ turn: expect.stringMatching(/running|queued/) });
    await harness.simulator.settle();
    expect(await situation(session_id)).toMatchObject({ turn: 'over', queued_inputs: 0 });
    const { data } = await call('session_events', { session_id, types: ['user.message', 'session.status_idle'] });
    expect((data.events as { type: string }[]).map(({ type }) => type)).toEqual([
      'user.message',
      'user.message',
      'session.status_idle',
    ]);
  });
});

describe('approvals', () => {
  async function pendingIds(session_id: string): Promise<string[]> {
    return ((await situation(session_id)).pending_actions as { tool_use_id: string }[]).map(
      (action) => action.tool_use_id,
    );
  }
  const twoAsks = [
    together(ask({ name: 'bash', input: { command: 'one' } }), ask({ name: 'bash', input: { command: 'two' } })),
    say('Done.'),
  ];

  it('trap 9: calls are answered by their event ids, under the field the API wants', async () => {
    harness = await startHarness();
    harness.simulator.scenarios.set(agent_id, twoAsks);
    const session_id = await begin('Go');
    await harness.simulator.settle();
    const ids = await pendingIds(session_id);
    expect(ids).toEqual([expect.stringMatching(/^sevt_/), expect.stringMatching(/^sevt_/)]);
    await call('session_respond', { session_id, tool_use_ids: ids, result: 'allow' });
    expect(harness.simulator.requests.at(-1)!.body).toEqual({
      events: ids.map((tool_use_id) => ({ type: 'user.tool_confirmation', tool_use_id, result: 'allow' })),
    });
    await harness.simulator.settle();
    expect(await situation(session_id)).toMatchObject({ turn: 'over' });
  });

  it('answering one of two leaves the other pending', async () => {
    harness = await startHarness();
    harness.simulator.scenarios.set(agent_id, twoAsks);
    const session_id = await begin('Go');
    await harness.simulator.settle();
    const [first, second] = await pendingIds(session_id);
    await call('session_respond', { session_id, tool_use_id: first, result: 'allow' });
    await harness.simulator.settle();
    expect(await situation(session_id)).toMatchObject({
      turn: 'requires_action',
      stop_reason: { event_ids: [second] },
      pending_actions: [{ tool_use_id: second }],
    });
  });

  it('trap 10: the reason of a denial travels in deny_message', async () => {
    harness = await startHarness();
    harness.simulator.scenarios.set(agent_id, [ask({ name: 'bash', input: {} }), say('Understood.')]);
    const session_id = await begin('Go');
    await harness.simulator.settle();
    const [tool_use_id] = await pendingIds(session_id);
    await call('session_respond', { session_id, tool_use_id, result: 'deny', deny_message: 'Too risky.' });
    await harness.simulator.settle();
    const { data } = await call('session_events', { session_id, types: ['agent.tool_result'] });
    expect(data.events).toEqual([
      expect.objectContaining({ is_error: true, result: expect.stringContaining('Too risky.') }),
    ]);
  });

  it('a message while approvals are pending is refused with what to call instead', async () => {
    harness = await startHarness();
    harness.simulator.scenarios.set(agent_id, twoAsks);
    const session_id = await begin('Go');
    await harness.simulator.settle();
    const answer = await call('session_message', { session_id, text: 'Hurry' });
    expect(answer).toMatchObject({
      isError: true,
      text: expect.stringMatching(/waiting on responses.*session_respond/),
    });
  });
});

describe('lists', () => {
  it.each([{ lastPage: 'missing' as const }, { lastPage: 'null' as const }])(
    'trap 15: %j is the end of a list',
    async (serialization) => {
      harness = await startHarness({ simulator: { serialization } });
      expect((await call('vault_list')).data).toMatchObject({ has_more: false, next_page: null });
      const session_id = await begin('Go');
      await harness.simulator.settle();
      expect((await call('session_events', { session_id })).data).toMatchObject({ has_more: false, next_page: null });
    },
  );

  it('trap 15: a page may be empty and still have a cursor', async () => {
    harness = await startHarness({ simulator: { serialization: { trailingCursor: true } } });
    const session_id = await begin('Go');
    await harness.simulator.settle();
    harness.simulator.faults.add({ path: /\/events$/, emptyPage: true });
    const { data } = await call('session_events', { session_id });
    expect(data).toMatchObject({ has_more: false, count: expect.any(Number) });
    expect(data.count).toBeGreaterThan(3);
  });

  it('trap 14: duplicates, ties and late stamps lose and repeat nothing', async () => {
    harness = await startHarness({
      simulator: {
        pollution: { duplicates: true, ties: true, lateStamps: 500 },
        serialization: { listOrder: 'arrival' },
        agentPace: 'manual',
      },
    });
    harness.simulator.scenarios.set(agent_id, [
      tool({ name: 'bash', result: 'a' }),
      tool({ name: 'bash', result: 'b' }),
      say('c'),
    ]);
    const session_id = await begin('Go');
    const seen: string[] = [];
    let since: string | undefined;
    const poll = async () => {
      const { data } = await call('session_events', { session_id, format: 'detailed', ...(since && { since }) });
      seen.push(...(data.events as { id: string }[]).map(({ id }) => id));
      since = data.next_since as string;
    };
    while (harness.simulator.step(session_id)) await poll();
    await poll();
    const logged = harness.simulator.world.sessions.get(session_id).log.events.map(({ id }) => id);
    expect(seen.toSorted()).toEqual([...new Set(logged)].toSorted());
  });

  it('statuses and include_archived reach the API', async () => {
    harness = await startHarness();
    const [idle, archived] = [await begin(), await begin()];
    await call('session_archive', { session_id: archived });
    const ids = async (args: object) =>
      ((await call('session_list', { ...args })).data.sessions as { id: string }[]).map(({ id }) => id);
    expect(await ids({})).toEqual([idle]);
    expect((await ids({ include_archived: true })).toSorted()).toEqual([idle, archived].toSorted());
    expect(await ids({ statuses: ['running'] })).toEqual([]);
    expect(await ids({ statuses: ['terminated'], include_archived: true })).toEqual([archived]);
  });
});

describe('the contract its fake gets wrong', () => {
  it('the session object has no stop reason; ours comes from the log', async () => {
    harness = await startHarness();
    const session_id = await begin('Go');
    await harness.simulator.settle();
    expect(harness.simulator.world.sessions.get(session_id)).not.toHaveProperty('stop_reason');
    expect(await situation(session_id)).toMatchObject({ stop_reason: { type: 'end_turn' } });
  });

  it('ending a running session is refused with what to do first (the API answers 400, not 409)', async () => {
    harness = await startHarness({ simulator: { agentPace: 'manual' } });
    const session_id = await begin('Go');
    for (const tool of ['session_archive', 'session_delete']) {
      expect(await call(tool, { session_id })).toMatchObject({
        isError: true,
        text: expect.stringMatching(/still running.*session_interrupt/),
      });
    }
  });

  it('ending a session whose input is still queued is refused, too', async () => {
    harness = await startHarness({ simulator: { agentPace: 'manual' } });
    const session_id = await begin();
    await call('session_message', { session_id, text: 'Go' });
    expect(await call('session_archive', { session_id })).toMatchObject({
      isError: true,
      text: expect.stringMatching(/still running/),
    });
  });

  it('delete answers 200 with a body', async () => {
    harness = await startHarness();
    expect(await call('session_delete', { session_id: await begin() })).toMatchObject({
      isError: false,
      data: { deleted: true },
    });
  });

  it('an interrupted turn ends with end_turn; there is no stop reason of its own', async () => {
    harness = await startHarness({ simulator: { agentPace: 'manual' } });
    const session_id = await begin('Go');
    harness.simulator.step(session_id);
    await call('session_interrupt', { session_id });
    await harness.simulator.settle();
    expect(await situation(session_id)).toMatchObject({
      turn: 'over',
      stop_reason: { type: 'end_turn' },
      failed: false,
    });
  });

  it('a send answers accepted events, not what the agent did; user events are in the log', async () => {
    harness = await startHarness({ simulator: { agentPace: 'manual' } });
    const session_id = await begin();
    const sent = await call('session_message', { session_id, text: 'Go' });
    expect(sent.data).toEqual({
      ok: true,
      session_id,
      next_since: expect.any(String),
      next_step: expect.any(String),
    });
    await harness.simulator.settle();
    const { data } = await call('session_events', { session_id, types: ['user.message'] });
    expect(data.events).toEqual([expect.objectContaining({ text: 'Go' })]);
  });

  it('each family gets the beta header it wants, memory stores their own', async () => {
    harness = await startHarness();
    for (const list of ['agent_list', 'environment_list', 'vault_list', 'session_list', 'memory_store_list'])
      await call(list);
    expect(harness.simulator.requests.map(({ headers }) => headers['anthropic-beta'])).toEqual([
      ...Array<string>(4).fill('managed-agents-2026-04-01'),
      'agent-memory-2026-07-22',
    ]);
  });
});
