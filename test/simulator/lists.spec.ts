import { Harness, message, refusal } from './harness.js';
import { say, think } from './index.js';

interface RawPage {
  data: { id: string }[];
  next_page?: string | null;
  prev_page?: string | null;
}

describe('lists', () => {
  let harness: Harness;
  afterEach(() => harness.close());

  const page = async (path: string) => (await (await harness.fetch(path)).json()) as RawPage;
  const status = async (path: string) => (await harness.fetch(path)).status;
  const makeVaults = (count: number) =>
    Array.from({ length: count }, (_, index) => {
      harness.clock.advance(1000);
      return harness.sim.world.vaults.create({ display_name: `vault ${index}` }).id;
    });

  it('come newest first, in pages that the SDK walks through', async () => {
    harness = await Harness.start();
    const ids = makeVaults(5);
    const walked = [];
    for await (const vault of harness.client.beta.vaults.list({ limit: 2 })) walked.push(vault.id);
    expect(walked).toEqual([...ids].reverse());
    expect(harness.sim.requests.filter(({ path }) => path === '/v1/vaults')).toHaveLength(3);
  });

  it('say that nothing follows with null or by saying nothing', async () => {
    harness = await Harness.start();
    expect(await page('/v1/agents')).toHaveProperty('next_page', null);
    await harness.close();
    harness = await Harness.start({ serialization: { lastPage: 'missing' } });
    expect(await page('/v1/agents')).not.toHaveProperty('next_page');
  });

  it('may end with an empty page, or have one in the middle', async () => {
    harness = await Harness.start({ serialization: { trailingCursor: true } });
    const ids = makeVaults(2);
    const full = await page('/v1/vaults?limit=2');
    expect(await page(`/v1/vaults?limit=2&page=${full.next_page}`)).toEqual({ data: [], next_page: null });
    harness.sim.faults.add({ path: /vaults$/, emptyPage: true });
    const walked = [];
    for await (const vault of harness.client.beta.vaults.list({ limit: 2 })) walked.push(vault.id);
    expect(walked).toEqual([...ids].reverse());
  });

  it('check their limits and cursors', async () => {
    harness = await Harness.start();
    makeVaults(3);
    expect(await status('/v1/vaults?limit=101')).toBe(400);
    expect(await status('/v1/vaults?limit=0')).toBe(400);
    expect(await status('/v1/environments?limit=1000')).toBe(200);
    expect(await status('/v1/vaults?page=nonsense')).toBe(400);
    const { next_page } = await page('/v1/vaults?limit=1');
    expect(next_page).toMatch(/^page_/);
    expect(await status(`/v1/agents?page=${next_page}`)).toBe(400);
  });

  it('hide what is archived unless asked', async () => {
    harness = await Harness.start();
    const [first] = makeVaults(2);
    const archived = await harness.client.beta.vaults.archive(first!);
    expect(archived.archived_at).toEqual(expect.any(String));
    expect((await harness.client.beta.vaults.archive(first!)).archived_at).toBe(archived.archived_at);
    expect((await page('/v1/vaults')).data).toHaveLength(1);
    expect((await page('/v1/vaults?include_archived=true')).data).toHaveLength(2);
  });
});

describe('the list of sessions', () => {
  let harness: Harness;
  beforeEach(async () => {
    harness = await Harness.start({}, [say('ok')]);
  });
  afterEach(() => harness.close());

  const make = async (count: number) => {
    const ids = [];
    for (let index = 0; index < count; index += 1) {
      harness.clock.advance(1000);
      ids.push(await harness.session());
    }
    return ids;
  };
  const ids = (list: { data: { id: string }[] }) => list.data.map(({ id }) => id);

  it('goes both ways', async () => {
    const [a, b, c, d, e] = await make(5);
    const first = await harness.sessions.list({ limit: 2 });
    expect([ids(first), first.prev_page]).toEqual([[e, d], null]);
    const second = await harness.sessions.list({ limit: 2, page: first.next_page });
    expect(ids(second)).toEqual([c, b]);
    const third = await harness.sessions.list({ limit: 2, page: second.next_page });
    expect([ids(third), third.next_page]).toEqual([[a], null]);
    expect(ids(await harness.sessions.list({ limit: 2, page: third.prev_page }))).toEqual([c, b]);
    expect(ids(await harness.sessions.list({ limit: 2, page: second.prev_page }))).toEqual([e, d]);
    const other = await refusal(harness.sessions.list({ order: 'asc', page: first.next_page }));
    expect([other.status, other.message]).toEqual([400, expect.stringContaining('order does not match')]);
  });

  it('filters by status, agent, version, memory store and time', async () => {
    const { world } = harness.sim;
    const store = world.memoryStores.create();
    const [first] = await make(2);
    const between = new Date(harness.clock.now() / 1000 - 500).toISOString();
    await harness.sessions.archive(first!);
    harness.sim.scenarios.set(harness.agentId, [think()]);
    const other = world.agents.create({ name: 'other' });
    const withStore = await harness.sessions.create({
      agent: other.id,
      environment_id: harness.environmentId,
      resources: [{ type: 'memory_store', memory_store_id: store.id }],
    });
    const count = async (params: Parameters<typeof harness.sessions.list>[0]) =>
      (await harness.sessions.list(params)).data.length;
    expect(await count({})).toBe(2);
    expect(await count({ include_archived: true })).toBe(3);
    expect(await count({ statuses: ['terminated'], include_archived: true })).toBe(1);
    expect(await count({ statuses: ['idle', 'running'] })).toBe(2);
    expect(ids(await harness.sessions.list({ agent_id: other.id }))).toEqual([withStore.id]);
    expect(await count({ agent_id: other.id, agent_version: 2 })).toBe(0);
    expect((await refusal(harness.sessions.list({ agent_version: 1 }))).status).toBe(400);
    expect(await count({ memory_store_id: store.id })).toBe(1);
    expect(await count({ deployment_id: 'depl_1' })).toBe(0);
    expect(await count({ 'created_at[gt]': between, include_archived: true })).toBe(2);
    expect(await count({ 'created_at[lte]': between, include_archived: true })).toBe(1);
    expect((await refusal(harness.sessions.list({ 'created_at[gt]': 'yesterday' }))).status).toBe(400);
    expect(await harness.fetch('/v1/sessions?statuses[]=sleeping').then(({ status }) => status)).toBe(400);
  });
});

describe('the list of events', () => {
  let harness: Harness;
  beforeEach(async () => {
    harness = await Harness.start({ agentPace: 'manual' }, [say('ok')]);
  });
  afterEach(() => harness.close());

  it('filters by type and by the time of processing, of which queued input has none', async () => {
    const sid = await harness.session();
    await harness.send(sid, message('A'));
    while (harness.sim.step()) harness.clock.advance(100);
    await harness.send(sid, message('B'));
    const all = await harness.events(sid);
    expect(all.at(-1)).toMatchObject({ type: 'user.message', processed_at: null });
    const types = async (params: Parameters<typeof harness.sessions.events.list>[1]) =>
      (await harness.sessions.events.list(sid, params)).data.map(({ type }) => type);
    expect(await types({ types: ['agent.message', 'session.status_idle'] })).toEqual([
      'agent.message',
      'session.status_idle',
    ]);
    expect(await harness.fetch(`/v1/sessions/${sid}/events?types[]=session.deleted`).then(({ status }) => status)).toBe(
      400,
    );
    const third = all[2]!.processed_at!;
    expect(await types({ 'created_at[gte]': third, types: ['user.message'] })).toEqual(['user.message']);
    expect(await types({ 'created_at[gt]': third, types: ['user.message'] })).toEqual([]);
    expect(await types({ 'created_at[lte]': third })).toHaveLength(3);
    expect(await types({ 'created_at[lt]': third })).toHaveLength(2);
    expect(await types({ order: 'desc', types: ['session.status_running', 'session.status_idle'] })).toEqual([
      'session.status_idle',
      'session.status_running',
    ]);
  });

  it('has cursors that stay right while the log grows, and are bound to their order and range', async () => {
    const sid = await harness.session();
    await harness.send(sid, message('A'), message('B'));
    const first = await harness.sessions.events.list(sid, { limit: 1 });
    await harness.sim.settle();
    const rest = [];
    for await (const event of harness.sessions.events.list(sid, { page: first.next_page, limit: 3 })) rest.push(event);
    expect(rest.map(({ type }) => type)).toEqual(await harness.types(sid));
    const mid = await harness.sessions.events.list(sid, { limit: 2 });
    expect(
      (await refusal(harness.sessions.events.list(sid, { page: mid.next_page, order: 'desc' }))).message,
    ).toContain('order does not match');
    const later = { page: mid.next_page, 'created_at[gt]': '2030-01-01T00:00:00Z' };
    expect((await refusal(harness.sessions.events.list(sid, later))).status).toBe(400);
  });
});
