import { FIXTURES } from '../simulator/index.js';
import { callTool } from '../support/client.js';
import { type Harness, startHarness } from '../support/harness.js';
import { auditLines } from '../support/stderr.js';
import { callsOf, SESSION_TOOLS } from './calls.js';

const { agents, environments, vaults, memoryStores } = FIXTURES;
const GOOD = {
  agent_id: agents.deployer,
  environment_id: environments.locked,
  vault_ids: [vaults.github],
  memory_store_ids: [memoryStores.runbooks],
};

/** Each list with a thing that is on it, one that is not, and how both are used. */
const LISTS = [
  {
    rule: 'agent_allowlist',
    env: { MCP_ALLOWLIST_AGENTS_ACTIVE: 'true', MCP_ALLOWED_AGENT_IDS: agents.deployer },
    list: ['agent_list', 'agents'],
    get: 'agent_get',
    id: 'agent_id',
    on: agents.deployer,
    off: agents.analyst,
    start: { agent_id: agents.analyst },
  },
  {
    rule: 'environment_allowlist',
    env: { MCP_ALLOWED_ENVIRONMENT_IDS: environments.locked },
    list: ['environment_list', 'environments'],
    get: 'environment_get',
    id: 'environment_id',
    on: environments.locked,
    off: environments.cloud,
    start: { environment_id: environments.cloud },
  },
  {
    rule: 'vault_allowlist',
    env: { MCP_ALLOWED_VAULT_IDS: vaults.github },
    list: ['vault_list', 'vaults'],
    get: 'vault_get',
    id: 'vault_id',
    on: vaults.github,
    off: vaults.orders,
    start: { vault_ids: [vaults.github, vaults.orders] },
  },
  {
    rule: 'memory_store_allowlist',
    env: { MCP_ALLOWED_MEMORY_STORE_IDS: memoryStores.runbooks },
    list: ['memory_store_list', 'memory_stores'],
    get: 'memory_store_get',
    id: 'memory_store_id',
    on: memoryStores.runbooks,
    off: memoryStores.customers,
    start: { memory_store_ids: [memoryStores.customers] },
  },
] as const;

let harness: Harness;
afterEach(() => harness.close());

const call = (tool: string, args: object = {}) => callTool(harness.client, tool, args as Record<string, unknown>);
const idsOf = (items: unknown) => (items as { id: string }[]).map(({ id }) => id);
/** A session that somebody started elsewhere. */
function elsewhere(difference: object): string {
  const { agent_id, environment_id, vault_ids, memory_store_ids } = { ...GOOD, ...difference };
  return harness.simulator.world.sessions.create({
    agent: agent_id,
    environment_id,
    vault_ids: [...vault_ids],
    resources: memory_store_ids.map((memory_store_id) => ({ type: 'memory_store', memory_store_id })),
  }).id;
}

describe.each(LISTS)('the $rule', ({ rule, env, list, get, id, on, off, start }) => {
  const [listTool, plural] = list;

  it('holds for lists, gets and starts', async () => {
    harness = await startHarness({ env });
    expect(idsOf((await call(listTool)).data[plural])).toEqual([on]);
    expect((await call(get, { [id]: on })).isError).toBe(false);
    const refused = await call(get, { [id]: off });
    expect(refused).toMatchObject({ isError: true, text: expect.stringMatching(/MCP_ALLOWED_.*or ask the operator/) });
    expect((await call(get, { [id]: 'no_such_thing' })).text).toBe(refused.text);
    expect((await call('session_start', GOOD)).isError).toBe(false);
    expect((await call('session_start', { ...GOOD, ...start })).text).toBe(refused.text);
    expect(
      auditLines()
        .filter(({ outcome }) => outcome === 'refused')
        .map(({ reason }) => reason),
    ).toEqual([rule, rule, rule]);
    const upstream = harness.simulator.requests.map(({ path }) => path);
    expect(upstream.filter((path) => path.includes(off))).toEqual([]);
    expect(harness.simulator.requests.filter(({ method }) => method === 'POST')).toHaveLength(1);
  });

  it('holds for every tool that names a session, and for lists of them', async () => {
    harness = await startHarness({ env });
    const good = elsewhere({});
    const bad = elsewhere(start);
    expect(idsOf((await call('session_list')).data.sessions)).toEqual([good]);
    for (const tool of SESSION_TOOLS)
      for (const args of callsOf(tool, { session_id: bad })) {
        const answer = await call(tool, args);
        expect([tool, answer.isError]).toEqual([tool, true]);
        expect(auditLines().at(-1)).toMatchObject({ audit: tool, outcome: 'refused', reason: rule, session_id: bad });
        const unknown = await call(tool, { ...args, session_id: 'sesn_unknown' });
        expect([tool, answer.text]).toEqual([tool, unknown.text]);
      }
    expect((await call('session_get', { session_id: good })).isError).toBe(false);
    expect(harness.simulator.requests.filter(({ method }) => method !== 'GET')).toEqual([]);
  });
});

it('an agent that is not allowed cannot be asked for in a filter', async () => {
  harness = await startHarness({ env: LISTS[0].env });
  for (const tool of ['session_list', 'approval_list'])
    expect((await call(tool, { agent_id: agents.analyst })).text).toMatch(/MCP_ALLOWED_AGENT_IDS/);
});

describe('approval_list', () => {
  it('shows only what waits in sessions that may be reached', async () => {
    harness = await startHarness({ env: { MCP_ALLOWED_ENVIRONMENT_IDS: environments.locked } });
    const sessions = [environments.locked, environments.cloud].map((environment_id) =>
      harness.simulator.world.sessions.create({
        agent: agents.deployer,
        environment_id,
        initial_events: [{ type: 'user.message', content: [{ type: 'text', text: 'go' }] }],
      }),
    );
    for (const { id } of sessions) await harness.simulator.settle(id);
    const { data } = await call('approval_list');
    const shown = (data.approvals as { session_id: string }[]).map(({ session_id }) => session_id);
    expect([...new Set(shown)]).toEqual([sessions[0]!.id]);
    expect(data.sessions_examined).toBe(1);
  });
});

describe('pages of a filtered list', () => {
  const isolated = { MCP_ALLOWED_VAULT_IDS: Array.from({ length: 10 }, (_, n) => `vlt_mine_${n}`).join() };
  const pageThrough = async (limit: number) => {
    const pages: string[][] = [];
    let page: string | undefined;
    do {
      const { data } = await call('vault_list', { limit, page });
      pages.push(idsOf(data.vaults));
      expect(data).toMatchObject({ count: pages.at(-1)!.length, has_more: data.next_page !== null });
      page = (data.next_page ?? undefined) as string | undefined;
    } while (page !== undefined);
    return pages;
  };

  it('are filled up, and give each item once', async () => {
    harness = await startHarness({ env: isolated, simulator: { fixtures: false } });
    for (let n = 0; n < 10; n++) {
      harness.simulator.world.vaults.create({ id: `vlt_mine_${n}`, display_name: `mine ${n}` });
      harness.simulator.world.vaults.create({ id: `vlt_other_${n}`, display_name: `other ${n}` });
    }
    const pages = await pageThrough(4);
    expect(pages.slice(0, 2).map((page) => page.length)).toEqual([4, 4]);
    expect(pages.flat().toSorted()).toEqual(Array.from({ length: 10 }, (_, n) => `vlt_mine_${n}`));
  });

  it('stay within five reads of the API each, and still lead to the end', async () => {
    harness = await startHarness({ env: isolated, simulator: { fixtures: false } });
    harness.simulator.world.vaults.create({ id: 'vlt_mine_0', display_name: 'the oldest' });
    for (let n = 0; n < 12; n++) harness.simulator.world.vaults.create({ id: `vlt_other_${n}`, display_name: 'x' });
    const pages = await pageThrough(1);
    expect(pages.flat()).toEqual(['vlt_mine_0']);
    expect(pages).toHaveLength(3);
    expect(harness.simulator.requests.length).toBeLessThanOrEqual(15);
  });

  it('have cursors that name nothing and cannot be changed', async () => {
    harness = await startHarness({ env: isolated, simulator: { fixtures: false } });
    for (let n = 0; n < 4; n++) harness.simulator.world.vaults.create({ id: `vlt_mine_${n}`, display_name: 'x' });
    const next = (await call('vault_list', { limit: 1 })).data.next_page as string;
    expect(Buffer.from(next, 'base64url').toString('latin1')).not.toMatch(/page|vlt|scope/);
    expect((await call('vault_list', { limit: 1, page: next })).data.count).toBe(1);
    const flipped = `${next.slice(0, -2)}${next.endsWith('AA') ? 'BB' : 'AA'}`;
    const words = (await call('vault_list', { page: 'garbage' })).text;
    expect(words).toMatch(/not a next_page that this list gave you/);
    const raw = `page_${Buffer.from('{"scope":"vaults"}').toString('base64url')}`;
    for (const page of [flipped, next.slice(1), raw, 'A', 'A'.repeat(200)])
      expect(await call('vault_list', { page })).toMatchObject({ isError: true, text: words });
    expect(auditLines().at(-1)).toMatchObject({ outcome: 'failed', reason: 'invalid_page' });
  });
});

it('without lists nothing is read or changed on the way: one request, and the cursor of the API', async () => {
  harness = await startHarness();
  const { data } = await call('agent_list', { limit: 2 });
  expect(data.next_page).toMatch(/^page_/);
  expect(harness.simulator.requests).toHaveLength(1);
  const session_id = elsewhere({});
  await call('session_get', { session_id });
  expect(
    harness.simulator.requests
      .map(({ path }) => path)
      .slice(1)
      .toSorted(),
  ).toEqual([`/v1/sessions/${session_id}`, `/v1/sessions/${session_id}/events`]);
});

it('costs one more read per session and process, however many calls there are, also at the same time', async () => {
  harness = await startHarness({ env: LISTS[0].env });
  const reads = (id: string) =>
    harness.simulator.requests.filter(({ method, path }) => method === 'GET' && path === `/v1/sessions/${id}`).length;
  const found = elsewhere({});
  await Promise.all(Array.from({ length: 5 }, () => call('session_events', { session_id: found })));
  await call('session_message', { session_id: found, text: 'hi' });
  await call('session_events', { session_id: found });
  expect(reads(found)).toBe(1);
  const started = (await call('session_start', GOOD)).data.session_id as string;
  await call('session_events', { session_id: started });
  await call('session_message', { session_id: started, text: 'hi' });
  expect(reads(started)).toBe(0);
});

it('when the API cannot be asked about a session, nobody gets to it', async () => {
  harness = await startHarness({ env: LISTS[0].env });
  const session_id = elsewhere({});
  harness.simulator.faults.add({ path: /\/v1\/sessions\/[^/]+$/, status: 529 });
  expect(await call('session_message', { session_id, text: 'hi' })).toMatchObject({
    isError: true,
    text: expect.stringMatching(/overloaded/),
  });
  expect(harness.simulator.requests.filter(({ method }) => method === 'POST')).toEqual([]);
});
