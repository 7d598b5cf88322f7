import { parseSince } from '../../src/managed-agents/log/cursor-text.js';
import { FIXTURES, say, spend } from '../simulator/index.js';
import { callTool, type ToolAnswer } from '../support/client.js';
import { type Harness, startHarness } from '../support/harness.js';

const { analyst } = FIXTURES.agents;

let harness: Harness;
beforeEach(async () => {
  harness = await startHarness();
});
afterEach(() => harness.close());

async function start(args: Record<string, unknown> = {}): Promise<string> {
  const environment_id = FIXTURES.environments.cloud;
  const { data } = await callTool(harness.client, 'session_start', { agent_id: analyst, environment_id, ...args });
  await harness.simulator.settle();
  return data.session_id as string;
}
const update = (session_id: string, args: Record<string, unknown>): Promise<ToolAnswer> =>
  callTool(harness.client, 'session_update', { session_id, ...args });
const updatesSent = () =>
  harness.simulator.requests
    .filter(({ method, path }) => method === 'POST' && /^\/v1\/sessions\/[^/]+$/.test(path))
    .map(({ body }) => body);

it('changes title and metadata, and leaves the rest', async () => {
  const session_id = await start({ title: 'Before', metadata: { team: 'a', ticket: '1' } });
  const { data } = await update(session_id, { title: 'After', metadata: { team: 'b', ticket: '', owner: 'me' } });
  expect(updatesSent()).toEqual([{ title: 'After', metadata: { team: 'b', ticket: null, owner: 'me' } }]);
  expect(data).toEqual({
    ok: true,
    session_id,
    title: 'After',
    metadata: { team: 'b', owner: 'me' },
    budget_usd: null,
    cost_usd: 0,
    status: 'idle',
    next_since: expect.any(String),
    next_step: 'Nothing else is needed.',
  });
});

it('raises a budget, and the session goes on', async () => {
  harness.simulator.scenarios.set(analyst, [spend(150), say('one'), say('two')]);
  const session_id = await start({ budget_usd: 1, message: 'Go' });
  expect((await callTool(harness.client, 'session_get', { session_id })).data).toMatchObject({
    turn: 'budget_reached',
  });
  const { data } = await update(session_id, { budget_usd: 12.34 });
  expect(updatesSent()).toEqual([{ budget: { type: 'limit', max_list_cost: { amount: '1234', currency: 'USD' } } }]);
  expect(data).toMatchObject({ budget_usd: 12.34, next_step: expect.stringContaining('session_wait') });
  // A wait from there knows that the session goes on, even while the list does not.
  expect(parseSince(session_id, data.next_since as string).awaited).toEqual(expect.any(Number));
  expect(data.cost_usd).toBeGreaterThanOrEqual(1.5);
  await harness.simulator.settle();
  const after = await callTool(harness.client, 'session_events', { session_id, since: data.next_since });
  expect((after.data.events as { type: string }[])[0]).toMatchObject({ type: 'session.updated' });
  expect((await callTool(harness.client, 'session_get', { session_id })).data).toMatchObject({ turn: 'over' });
});

it('removes a budget for good', async () => {
  const session_id = await start({ budget_usd: 5 });
  expect((await update(session_id, { remove_budget: true })).data).toMatchObject({ budget_usd: null });
  expect(updatesSent()).toEqual([{ budget: null }]);
  const again = await update(session_id, { budget_usd: 5 });
  expect(again.text).toContain('a removed one does not come back');
});

it('says why a budget cannot be set', async () => {
  const without = await start();
  expect((await update(without, { budget_usd: 5 })).text).toContain(
    'Only a session that was started with budget_usd has a budget to change',
  );
  harness.simulator.scenarios.set(analyst, [spend(150), say('one')]);
  const spent = await start({ budget_usd: 2, message: 'Go' });
  expect((await update(spent, { budget_usd: 1 })).text).toContain(
    'Choose a budget_usd above what the session has cost',
  );
  harness.simulator.faults.add({
    method: 'POST',
    status: 400,
    error: { message: 'model has no list price', details: { error_code: 'model_not_budgetable' } },
  });
  expect((await update(spent, { budget_usd: 9 })).text).toContain('use an agent whose models all have a list price');
});

it.each([
  [{}, /^Nothing to change: give title, metadata, budget_usd or remove_budget=true\./],
  [{ remove_budget: false }, /^Nothing to change/],
  [{ budget_usd: 1, remove_budget: true }, /^budget_usd and remove_budget cannot be combined/],
  [{ budget_usd: 0.001 }, /budget_usd/],
  [{ budget_usd: 1.005 }, /budget_usd: must be whole cents/],
  [{ title: '' }, /title/],
  [{ title: 'x'.repeat(501) }, /title/],
  [{ metadata: { key: 'x'.repeat(513) } }, /metadata.key/],
  [{ metadata: { key: ['x'.repeat(600)] } }, /metadata.key/],
])('refuses %j before anything is sent', async (args, message) => {
  const { isError, text } = await update('sesn_1', args);
  expect(isError).toBe(true);
  expect(text.replace('Invalid parameters: ', '')).toMatch(message);
  expect(harness.simulator.requests).toEqual([]);
});

it('says that a session does not exist, or has ended', async () => {
  expect((await update('sesn_unknown', { title: 'x' })).text).toMatch(/^Not found/);
  const session_id = await start({ budget_usd: 5 });
  await callTool(harness.client, 'session_archive', { session_id });
  await harness.simulator.settle();
  const ended = await update(session_id, { budget_usd: 9 });
  expect(ended.text).toContain('one that has ended cannot be changed');
});
