/** Events that are listed late, with an earlier stamp, after bursts of different density. */
import { burst, FIXTURES, say, type Session } from '../simulator/index.js';
import { callTool } from '../support/client.js';
import { type Harness, startHarness } from '../support/harness.js';

const agent_id = FIXTURES.agents.analyst;
const environment_id = FIXTURES.environments.cloud;
const EVERY_MS = 2;

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness.close());

const call = async (name: string, args: Record<string, unknown>): Promise<Record<string, any>> =>
  (await callTool(harness.client, name, args)).data;

/** A session whose log was read to its end after a burst, and the cursor of the last answer. */
async function readBurst(count: number): Promise<{ session: Session; since: string; missed: boolean }> {
  harness.simulator.scenarios.set(agent_id, [burst(count, EVERY_MS), say('done')]);
  const { session_id } = await call('session_start', { agent_id, environment_id, message: 'Go' });
  await harness.simulator.settle(session_id as string);
  let since: string | undefined;
  let missed = false;
  for (;;) {
    const batch = await call('session_events', { session_id, ...(since && { since }), limit: 200 });
    since = batch.next_since as string;
    missed ||= batch.may_have_missed === true;
    if (!batch.has_more) return { session: harness.simulator.world.sessions.get(session_id as string), since, missed };
  }
}

const addLate = (session: Session, byMs: number) =>
  session.recordLate({ type: 'agent.message', content: [{ type: 'text', text: 'late' }] }, session.primary, byMs);
const textsOf = ({ events }: Record<string, any>) => (events as { text?: string }[]).map(({ text }) => text);

it.each([
  [300, 500],
  [440, 870],
  [2000, 600],
])('after %d events, one each 2 ms, one stamped %d ms before the newest is delivered once', async (count, byMs) => {
  const { session, since } = await readBurst(count);
  addLate(session, byMs);
  const next = await call('session_events', { session_id: session.id, since });
  expect(textsOf(next)).toEqual(['late']);
  const rest = await call('session_events', { session_id: session.id, since: next.next_since });
  expect(textsOf(rest)).toEqual([]);
});

it('a burst that fits into the cursor leaves nothing to tell', async () => {
  const { session, since, missed } = await readBurst(400);
  expect(missed).toBe(false);
  for (const tool of ['session_events', 'session_wait']) {
    const answer = await call(tool, { session_id: session.id, since });
    expect(answer).not.toHaveProperty('may_have_missed');
  }
});

describe('a burst that outran the cursor', () => {
  it.each(['session_events', 'session_wait'])('is told by the next answer of %s, once', async (tool) => {
    const { session, since } = await readBurst(2000);
    const { processed_at } = addLate(session, 3500);
    const next = await call(tool, { session_id: session.id, since });
    expect(textsOf(next)).not.toContain('late');
    expect(next).toMatchObject({ may_have_missed: true });
    // What the answer advises: the same stretch again, from a time.
    const from = new Date(Date.parse(processed_at!) - 1).toISOString();
    const again = await call('session_events', { session_id: session.id, since: from, limit: 20 });
    expect(textsOf(again)).toContain('late');
  });
});
