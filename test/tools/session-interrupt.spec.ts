import { FIXTURES, say, tool } from '../simulator/index.js';
import { startWaiting } from '../support/calls.js';
import { callTool } from '../support/client.js';
import { type Harness, startHarness } from '../support/harness.js';

const start = { agent_id: FIXTURES.agents.analyst, environment_id: FIXTURES.environments.cloud };
let harness: Harness;
afterEach(() => harness.close());

const interrupt = async (session_id: string, then_message?: string) =>
  (await callTool(harness.client, 'session_interrupt', { session_id, then_message })).data;

it('says that nothing was running in a session without work, and in one whose turn is over', async () => {
  harness = await startHarness();
  const { data } = await callTool(harness.client, 'session_start', start);
  const session_id = data.session_id as string;
  expect(await interrupt(session_id)).toMatchObject({
    was_running: false,
    next_step: expect.stringMatching(/^Nothing was running, so nothing was stopped\. Send work with session_message/),
  });
  await callTool(harness.client, 'session_message', { session_id, text: 'Go' });
  await harness.simulator.settle(session_id);
  expect(await interrupt(session_id, 'Go on')).toMatchObject({
    was_running: false,
    redirected: true,
    next_step: expect.stringMatching(/^Nothing was running.* starts a new turn\. Call session_wait/),
  });
});

it('says that a working agent stops', async () => {
  harness = await startHarness({ simulator: { agentPace: 'manual' } });
  harness.simulator.scenarios.set(start.agent_id, [tool({ name: 'bash', result: 'ok' }), say('Done.')]);
  const { data } = await callTool(harness.client, 'session_start', { ...start, message: 'Go' });
  const session_id = data.session_id as string;
  harness.simulator.step(session_id);
  expect(await interrupt(session_id)).toMatchObject({
    was_running: true,
    next_step: expect.stringMatching(/^The agent stops shortly\./),
  });
});

it('a session that waits for an approval has something to stop', async () => {
  harness = await startHarness();
  const { session_id } = await startWaiting(harness.client, harness.simulator, FIXTURES.agents.deployer);
  expect(await interrupt(session_id)).toMatchObject({ was_running: true, redirected: false });
});
