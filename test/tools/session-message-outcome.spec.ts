import { parseSince } from '../../src/managed-agents/log/cursor-text.js';
import { FIXTURES, grade, say, wait } from '../simulator/index.js';
import { callTool } from '../support/client.js';
import { type Harness, startHarness } from '../support/harness.js';

const { analyst } = FIXTURES.agents;
const outcome = { description: 'A report on deploys', rubric: 'Has numbers', max_iterations: 2 };

let harness: Harness;
let session_id: string;
beforeEach(async () => {
  harness = await startHarness();
  const environment_id = FIXTURES.environments.cloud;
  const { data } = await callTool(harness.client, 'session_start', { agent_id: analyst, environment_id });
  session_id = data.session_id as string;
});
afterEach(() => harness.close());

const inputsSent = () =>
  harness.simulator.requests
    .filter(({ method, path }) => method === 'POST' && path.endsWith('/events'))
    .flatMap(({ body }) => (body as { events: object[] }).events);
const eventsSince = async (since: unknown) => {
  const { data } = await callTool(harness.client, 'session_events', { session_id, since });
  return (data.events as { type: string }[]).map(({ type }) => type);
};

it('session_message gives an outcome to reach instead of a message', async () => {
  harness.simulator.scenarios.set(analyst, [say('draft'), grade('satisfied', 'Good numbers.')]);
  const { data } = await callTool(harness.client, 'session_message', { session_id, outcome });
  expect(inputsSent()).toEqual([
    {
      type: 'user.define_outcome',
      description: 'A report on deploys',
      rubric: { type: 'text', content: 'Has numbers' },
      max_iterations: 2,
    },
  ]);
  expect(data).toEqual({
    ok: true,
    session_id,
    next_since: expect.any(String),
    next_step: 'Call session_wait(session_id, since=next_since).',
  });
  await harness.simulator.settle();
  expect(await eventsSince(data.next_since)).toContain('span.outcome_evaluation_end');
  const situation = await callTool(harness.client, 'session_get', { session_id });
  expect(situation.data.outcome_evaluations).toEqual([
    expect.objectContaining({ description: 'A report on deploys', result: 'satisfied', explanation: 'Good numbers.' }),
  ]);
});

it('session_message hands over the cursor from before the send, awaiting the message', async () => {
  await callTool(harness.client, 'session_message', { session_id, text: 'First' });
  await harness.simulator.settle();
  const { data } = await callTool(harness.client, 'session_message', { session_id, text: 'Second' });
  expect(parseSince(session_id, data.next_since as string).awaited).toEqual(expect.any(Number));
  await harness.simulator.settle();
  const { data: after } = await callTool(harness.client, 'session_events', { session_id, since: data.next_since });
  const messages = (after.events as { type: string; text?: string }[]).filter(({ type }) => type === 'user.message');
  expect(messages).toEqual([expect.objectContaining({ text: 'Second' })]);
});

it('session_interrupt hands over a cursor that awaits the new direction, and never the interrupt', async () => {
  harness.simulator.scenarios.set(analyst, [wait(600_000), say('late')]);
  await callTool(harness.client, 'session_message', { session_id, text: 'Go' });
  const redirected = await callTool(harness.client, 'session_interrupt', { session_id, then_message: 'Turn' });
  expect(parseSince(session_id, redirected.data.next_since as string).awaited).toEqual(expect.any(Number));
  const stopped = await callTool(harness.client, 'session_interrupt', { session_id });
  expect(stopped.data).toMatchObject({ ok: true, redirected: false, next_since: expect.any(String) });
  expect(parseSince(session_id, stopped.data.next_since as string).awaited).toBeUndefined();
});

it.each([
  [{}, /^text is required: the message for the agent \(or outcome/],
  [{ text: '' }, /^text is required: /],
  [{ text: 'Do it', outcome }, /^text and outcome cannot be combined: put the whole task into outcome.description/],
  [{ outcome: { description: 'x' } }, /outcome.rubric is required/],
  [{ outcome: { ...outcome, max_iterations: 21 } }, /outcome.max_iterations/],
  [{ outcome: { ...outcome, deadline: 1 } }, /outcome has unknown keys: "deadline"/],
])('session_message refuses %j before anything is sent', async (args, message) => {
  const { isError, text } = await callTool(harness.client, 'session_message', { session_id, ...args });
  expect(isError).toBe(true);
  expect(text.replace('Invalid parameters: ', '')).toMatch(message);
  expect(inputsSent()).toEqual([]);
});

it('a second outcome while one is active is refused with what the API says', async () => {
  harness.simulator.scenarios.set(analyst, [wait(600_000), say('late')]);
  await callTool(harness.client, 'session_message', { session_id, outcome });
  const { text } = await callTool(harness.client, 'session_message', { session_id, outcome });
  expect(text).toContain('only one may be active at a time');
});
