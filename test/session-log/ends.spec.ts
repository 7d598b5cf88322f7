/** Inputs that are never stamped, and ends that only the object of a session shows. */
import { ask, FIXTURES, say, turns, wait } from '../simulator/index.js';
import { callTool, type ToolAnswer } from '../support/client.js';
import { type Harness, startHarness } from '../support/harness.js';

const agent_id = FIXTURES.agents.analyst;
const environment_id = FIXTURES.environments.cloud;

let harness: Harness;
afterEach(async () => {
  jest.restoreAllMocks();
  await harness.close();
});

const call = (name: string, args: Record<string, unknown>): Promise<ToolAnswer> => callTool(harness.client, name, args);
const waitFor = async ({ session_id, next_since: since }: Record<string, any>) =>
  (await call('session_wait', { session_id, since, timeout_seconds: 30 })).data;
const start = async (message?: string) =>
  (await call('session_start', { agent_id, environment_id, message })).data as { session_id: string };

describe('an input that never gets its stamp', () => {
  it('counts as taken once the turn went on: waits end, and the session can be archived', async () => {
    harness = await startHarness({ simulator: { pollution: { unstampedMessages: true } } });
    harness.simulator.scenarios.set(agent_id, turns([say('one')], [say('two')]));
    const { session_id } = await start();
    for (const text of ['one', 'two']) {
      const sent = await call('session_message', { session_id, text: 'Go' });
      const over = await waitFor({ ...sent.data, session_id });
      expect(over).toMatchObject({ reason: 'turn_over', final_message: text });
    }
    expect(await call('session_archive', { session_id })).toMatchObject({ isError: false, data: { archived: true } });
  });

  it.each(['session_archive', 'session_delete'])('and stays last holds %s for a minute at most', async (tool) => {
    harness = await startHarness();
    harness.simulator.scenarios.set(agent_id, [say('ok')]);
    const started = await start('Go');
    await waitFor(started);
    const { session_id } = started;
    const content = [{ type: 'text', text: 'lost' }];
    const lost = { id: 'sevt_lost', type: 'user.message', processed_at: null, content };
    harness.simulator.world.sessions.get(session_id).appendRaw(lost);
    const refused = await call(tool, { session_id });
    expect(refused).toMatchObject({ isError: true, text: expect.stringContaining('still running') as string });
    const now = performance.now.bind(performance);
    const clock = jest.spyOn(performance, 'now').mockImplementation(() => now() + 55_000);
    expect((await call(tool, { session_id })).isError).toBe(true);
    clock.mockImplementation(() => now() + 61_000);
    expect(await call(tool, { session_id })).toMatchObject({ isError: false, data: { ok: true } });
  });
});

describe('a session that only its object shows as terminated', () => {
  it.each([
    ['while the log still shows work', [say('So far.'), wait(120_000)]],
    ['after a turn that was over', [say('done')]],
    ['while a call waits', [ask({ name: 'bash' }), say('done')]],
  ])('ends its waits, %s', async (_, scenario) => {
    harness = await startHarness();
    harness.simulator.scenarios.set(agent_id, scenario);
    const started = await start('Go');
    const session = harness.simulator.world.sessions.get(started.session_id);
    // The first one works on, for longer than anybody waits.
    if (!scenario.some(({ type }) => type === 'wait')) await harness.simulator.settle(session.id);
    session.status.set('terminated');
    expect((await call('session_get', { session_id: session.id })).data).toMatchObject({
      status: 'terminated',
      turn: 'terminated',
      pending_actions: [],
    });
    expect(await waitFor(started)).toMatchObject({
      reason: 'terminated',
      status: 'terminated',
      next_step: expect.stringContaining('session_start') as string,
    });
  });
});
