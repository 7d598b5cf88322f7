import { FIXTURES } from '../simulator/index.js';
import { callTool } from '../support/client.js';
import { type Harness, startHarness } from '../support/harness.js';

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness.close());

const call = (name: string, args?: Record<string, unknown>) => callTool(harness.client, name, args);
const lists = ['agent', 'environment', 'vault', 'memory_store'];

it.each(lists)('%s_list answers summaries with count, has_more and next_page', async (kind) => {
  const { data } = await call(`${kind}_list`);
  expect(data).toMatchObject({ has_more: false, next_page: null });
  const items = data[`${kind}s`] as { id: string; metadata: unknown; created_at: string }[];
  expect(items).toHaveLength(data.count as number);
  expect(items[0]).toEqual(
    expect.objectContaining({ id: expect.any(String), metadata: expect.any(Object), archived_at: null }),
  );
});

it.each(lists)('%s_list pages through everything, each item once', async (kind) => {
  const all = (await call(`${kind}_list`)).data[`${kind}s`] as { id: string }[];
  const paged: string[] = [];
  let page: string | null = null;
  do {
    const { data } = await call(`${kind}_list`, { limit: 1, page });
    paged.push(...(data[`${kind}s`] as { id: string }[]).map((item) => item.id));
    expect(data.has_more).toBe(data.next_page !== null);
    page = data.next_page as string | null;
  } while (page !== null);
  expect(paged).toEqual(all.map((item) => item.id));
});

it('names the model of an agent as a string, though the API sends an object', async () => {
  const { data } = await call('agent_list');
  for (const agent of data.agents as { model: unknown }[]) expect(agent.model).toMatch(/^claude-/);
});

it('lists archived ones on request', async () => {
  const { agents } = harness.simulator.world;
  const gone = agents.create({ name: 'retired' });
  agents.archive(gone.id, '2026-11-22T10:00:00.000000Z');
  const ids = async (args: object) =>
    ((await call('agent_list', { ...args })).data.agents as { id: string }[]).map(({ id }) => id);
  expect(await ids({})).not.toContain(gone.id);
  expect(await ids({ include_archived: true })).toContain(gone.id);
});

it.each([
  [
    'agent',
    FIXTURES.agents.deployer,
    { name: 'deployer', system: expect.any(String) as string, tools: expect.any(Array) as [] },
  ],
  ['environment', FIXTURES.environments.locked, { name: 'production-deploys', config: { type: 'cloud' } }],
  ['vault', FIXTURES.vaults.github, { display_name: 'GitHub' }],
  ['memory_store', FIXTURES.memoryStores.runbooks, { name: 'runbooks' }],
])('%s_get answers the whole configuration', async (kind, id, expected) => {
  const { data } = await call(`${kind}_get`, { [`${kind}_id`]: id });
  expect(data).toMatchObject({ id, ...expected });
});

it('agent_get reads an older version', async () => {
  const { data } = await call('agent_get', { agent_id: FIXTURES.agents.analyst, version: 1 });
  expect(data).toMatchObject({ version: 1 });
  const missing = await call('agent_get', { agent_id: FIXTURES.agents.analyst, version: 99 });
  expect(missing.text).toContain('Agent version not found');
});

it('cuts what is too long to be read, and says so', async () => {
  const { agents } = harness.simulator.world;
  const { id } = agents.create({ name: 'verbose', system: 'x'.repeat(90_000) });
  const { data } = await call('agent_get', { agent_id: id });
  expect(data.system).toBe(`${'x'.repeat(6000)}…[truncated 84000 chars]`);
});
