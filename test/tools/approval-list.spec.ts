import {
  ask,
  error,
  FIXTURES,
  joinThreads,
  ManualClock,
  say,
  type Scenario,
  spawnThread,
  together,
  tool,
  turns,
  wait,
} from '../simulator/index.js';
import { callTool, type ToolAnswer } from '../support/client.js';
import { type Harness, type HarnessOptions, startHarness } from '../support/harness.js';
import { logLines } from '../support/stderr.js';

const { deployer, analyst, support, coordinator } = FIXTURES.agents;
const { cloud, selfHosted } = FIXTURES.environments;
const MINUTE_MS = 60_000;

interface Approval {
  readonly session_id: string;
  readonly tool_use_id: string;
  readonly kind: string;
  readonly input: unknown;
  readonly [field: string]: unknown;
}

let harness: Harness;
let clock: ManualClock;
afterEach(() => harness.close());

/** The simulator's time stands still, by default an hour behind the server's. */
async function start({ env, simulator }: HarnessOptions = {}, behindMs = 60 * MINUTE_MS): Promise<void> {
  clock = new ManualClock(new Date(Date.now() - behindMs).toISOString());
  harness = await startHarness({ env, simulator: { clock, recordedRequests: 100_000, ...simulator } });
}

/** A session of this agent that was told to go; it is older by a millisecond than the next one. */
function begin(agent: string, { environment_id = cloud, title }: { environment_id?: string; title?: string } = {}) {
  const content = [{ type: 'text' as const, text: 'Go' }];
  const session = harness.simulator.world.sessions.create({
    agent,
    environment_id,
    ...(title !== undefined && { title }),
    initial_events: [{ type: 'user.message', content }],
  });
  clock.advance(1);
  return session.id;
}

const plays = (agent: string, scenario: Scenario) => harness.simulator.scenarios.set(agent, scenario);
const settle = () => harness.simulator.settle();
const list = (args: Record<string, unknown> = {}): Promise<ToolAnswer> =>
  callTool(harness.client, 'approval_list', args);
const approvalsOf = ({ data }: ToolAnswer) => data.approvals as Approval[];
const idsOf = (answer: ToolAnswer) => approvalsOf(answer).map(({ tool_use_id }) => tool_use_id);

/** Every page from the first to the last; stops when there are more pages than could be needed. */
async function allPages(args: Record<string, unknown>, maxPages = 200): Promise<ToolAnswer[]> {
  const pages: ToolAnswer[] = [];
  for (let page: unknown; pages.length < maxPages; page = pages.at(-1)?.data.next_page) {
    const answer = await list({ ...args, ...(pages.length > 0 && { page }) });
    expect(answer.isError ? answer.text : '').toBe('');
    expect(answer.data.has_more).toBe(answer.data.next_page !== null);
    pages.push(answer);
    if (answer.data.next_page === null) return pages;
  }
  throw new Error(`more than ${maxPages} pages`);
}

/** The upstream requests a call makes: of the session list, and of event logs. */
async function requestsOf(
  work: () => Promise<ToolAnswer>,
): Promise<{ lists: number; logs: number; answer: ToolAnswer }> {
  const before = harness.simulator.requests.length;
  const answer = await work();
  const paths = harness.simulator.requests.slice(before).map(({ path }) => path);
  const logs = paths.filter((path) => path.endsWith('/events')).length;
  return { lists: paths.filter((path) => path === '/v1/sessions').length, logs, answer };
}

describe('approval_list', () => {
  it('shows what waits in every session, newest session first, whatever kind it is of', async () => {
    await start();
    plays(analyst, [tool({ name: 'bash', input: { command: 'ls' }, permission: 'allow' }), say('Done.')]);
    const worker = begin(analyst, { environment_id: selfHosted });
    begin(analyst);
    const custom = begin(support, { title: 'Order 1234' });
    const asking = begin(deployer, { title: 'Release 42' });
    await settle();
    const answer = await list();
    expect(answer.data).toMatchObject({ count: 4, has_more: false, next_page: null, complete: true });
    expect(answer.data).toMatchObject({ sessions_examined: 4 });
    expect(answer.data).not.toHaveProperty('note');
    expect(approvalsOf(answer).map(({ session_id, kind }) => [session_id, kind])).toEqual([
      [asking, 'tool_confirmation'],
      [asking, 'tool_confirmation'],
      [custom, 'custom_tool_result'],
      [worker, 'tool_result'],
    ]);
    const builds = approvalsOf(answer).find(({ input }) => (input as { command?: string }).command === 'make build');
    expect(builds).toEqual({
      session_id: asking,
      title: 'Release 42',
      agent: { id: deployer, name: 'deployer' },
      tool_use_id: expect.stringMatching(/^sevt_/) as string,
      kind: 'tool_confirmation',
      tool: 'bash',
      input: { command: 'make build' },
      since: expect.stringMatching(/^\d{4}-.*Z$/) as string,
    });
    expect(answer.data.next_step).toMatch(
      /session_respond\(session_id, tool_use_id\).*tool_result wait for the worker/,
    );
  });

  it('is empty when nothing waits', async () => {
    await start();
    begin(analyst);
    await settle();
    expect((await list()).data).toEqual({
      approvals: [],
      count: 0,
      has_more: false,
      next_page: null,
      sessions_examined: 1,
      complete: true,
    });
  });

  it.each([
    ['running', wait(MINUTE_MS)],
    ['rescheduling', error({ retry_status: 'retrying' }, { retryMs: MINUTE_MS })],
  ])('shows the call of a sub-agent while the session is %s', async (status, meanwhile) => {
    await start();
    const helper = spawnThread({ agentName: 'helper', message: 'help', steps: [ask({ name: 'bash' })], join: false });
    plays(coordinator, [helper, meanwhile, joinThreads(), say('Done.')]);
    const session_id = begin(coordinator);
    await settle();
    expect((await callTool(harness.client, 'session_get', { session_id })).data.status).toBe(status);
    expect(approvalsOf(await list())).toEqual([
      expect.objectContaining({ session_id, session_thread_id: expect.stringMatching(/^sthr_/) as string }),
    ]);
  });

  it('names the MCP server of a call', async () => {
    await start();
    plays(deployer, [ask({ name: 'create_issue', mcpServer: 'github', input: { title: 'x' } })]);
    begin(deployer);
    await settle();
    expect(approvalsOf(await list())[0]).toMatchObject({ tool: 'create_issue', mcp_server: 'github' });
  });

  it('can be asked for one agent only', async () => {
    await start();
    begin(deployer);
    const custom = begin(support);
    await settle();
    const answer = await list({ agent_id: support });
    expect(approvalsOf(answer).map(({ session_id }) => session_id)).toEqual([custom]);
    expect(answer.data.sessions_examined).toBe(1);
  });

  it('shows nothing of answered calls, and nothing of sessions that have ended', async () => {
    await start();
    const answered = begin(deployer);
    const archived = begin(deployer);
    await settle();
    for (const { session_id, tool_use_id } of approvalsOf(await list())) {
      if (session_id !== answered) continue;
      await callTool(harness.client, 'session_respond', { session_id, tool_use_id, result: 'allow' });
    }
    harness.simulator.world.sessions.archive(archived);
    await settle();
    expect((await list()).data).toMatchObject({ count: 0, complete: true });
  });
});

describe('the size of an answer', () => {
  it('is kept by cutting inputs and titles', async () => {
    await start();
    plays(deployer, [ask({ name: 'bash', input: { command: `echo ${'a'.repeat(3000)}; rm -rf /` } })]);
    begin(deployer, { title: 't'.repeat(500) });
    await settle();
    const answer = await list();
    const [approval] = approvalsOf(answer);
    expect(approval).toMatchObject({ input_truncated: true, title: expect.stringMatching(/^t{120}…/) as string });
    expect(approval?.input).toMatch(/^\{"command":"echo a+…\[truncated \d+ chars\]a+; rm -rf \/"\}$/);
    expect(JSON.stringify(approval).length).toBeLessThan(1200);
    expect(answer.data.next_step).toMatch(/session_events with format detailed has the whole input/);
  });

  it.each([5000, 40_000])('is at most %i characters; the next page has the rest', async (maxChars) => {
    await start({ env: { MCP_MAX_RESULT_CHARS: String(maxChars) } });
    const calls = Array.from({ length: 60 }, (_, index) =>
      ask({ name: 'n'.repeat(128), input: { index, command: '"\u0001'.repeat(1000) } }),
    );
    plays(deployer, [together(...calls)]);
    begin(deployer, { title: '\u0001'.repeat(500) });
    begin(deployer, { title: '\\'.repeat(500) });
    await settle();
    const pages = await allPages({ limit: 100 });
    for (const { text } of pages) expect(text.length).toBeLessThanOrEqual(maxChars);
    const ids = pages.flatMap(idsOf);
    expect(ids).toHaveLength(120);
    expect(new Set(ids).size).toBe(120);
    // Each input was cut once, to the size of an entry, and never again to make the answer fit.
    for (const { input } of pages.flatMap(approvalsOf))
      expect(input).toMatch(/^.{390,}…\[truncated \d+ chars\].{190,}$/s);
  });
});

describe('paging', () => {
  /** Sessions with 0 to 4 calls each; some were created in the same microsecond. */
  async function world(): Promise<string[]> {
    for (let index = 0; index < 12; index++) {
      const calls = Array.from({ length: index % 5 }, (_, call) => ask({ name: 'bash', input: { index, call } }));
      plays(deployer, calls.length > 0 ? [together(...calls)] : [say('Done.')]);
      begin(deployer);
      if (index % 3 !== 0) clock.advance(-1);
      await settle();
    }
    return idsOf(await list({ limit: 100 }));
  }

  it.each([false, true])('loses and repeats nothing, for any limit, when stamps are tied: %s', async (ties) => {
    await start({ simulator: { pollution: { ties } } });
    const all = await world();
    expect(all).toHaveLength(21);
    for (let limit = 1; limit <= all.length + 1; limit++) {
      const pages = await allPages({ limit });
      expect(pages.flatMap(idsOf)).toEqual(all);
      for (const page of pages) expect(page.data.count).toBeLessThanOrEqual(limit);
      expect(
        pages.slice(0, -1).every(({ data }) => data.complete === false && String(data.note).includes('next_page')),
      ).toBe(true);
      expect(pages.at(-1)?.data).toMatchObject({ complete: true, has_more: false });
    }
  });

  it('goes on where it was when calls are answered and sessions come and go in between', async () => {
    await start();
    const all = await world();
    const first = await list({ limit: 6 });
    const shown = approvalsOf(first);
    const last = shown.at(-1)!;
    const { session_id, tool_use_id } = last;
    await callTool(harness.client, 'session_respond', { session_id, tool_use_id, result: 'deny' });
    harness.simulator.world.sessions.delete(shown[0]!.session_id);
    begin(support);
    await settle();
    const rest = await list({ limit: 100, page: first.data.next_page });
    expect([...idsOf(first), ...idsOf(rest)]).toEqual(all);
  });

  it('puts sessions of one microsecond in one order, also where a page of the list ends between them', async () => {
    await start();
    for (let index = 0; index < 6; index++) {
      begin(support);
      clock.advance(-1);
    }
    clock.advance(1);
    for (let index = 0; index < 97; index++) begin(analyst);
    await settle();
    clock.advance(10 * MINUTE_MS);
    const all = (await allPages({})).flatMap(idsOf);
    expect([all.length, new Set(all).size]).toEqual([6, 6]);
    for (let limit = 1; limit < 6; limit++) expect((await allPages({ limit })).flatMap(idsOf)).toEqual(all);
  });

  it.each([
    ['an altered page', (page: string) => `${page.slice(0, -1)}${page.endsWith('A') ? 'B' : 'A'}`],
    ['a cut page', (page: string) => page.slice(0, -4)],
    ['a page of the API', () => 'page_eyJzY29wZSI6Ii92MS9zZXNzaW9ucyJ9'],
    ['a path', () => '../agents?x=1#'],
  ])('refuses %s before anything is read', async (_, change) => {
    await start();
    begin(deployer);
    await settle();
    const { next_page } = (await list({ limit: 1 })).data as { next_page: string };
    const { answer, lists, logs } = await requestsOf(() => list({ page: change(next_page) }));
    expect(answer).toMatchObject({
      isError: true,
      text: expect.stringMatching(/^page is not a next_page of approval_list/) as string,
    });
    expect([lists, logs]).toEqual([0, 0]);
  });

  it('refuses to go on with another agent, which would leave sessions out', async () => {
    await start();
    begin(deployer);
    await settle();
    const { next_page } = (await list({ limit: 1 })).data;
    expect(await list({ page: next_page, agent_id: support })).toMatchObject({ isError: true });
    expect(await list({ page: 'x'.repeat(3000) })).toMatchObject({ isError: true });
    expect(await list({ page: '' })).toMatchObject({ isError: false });
  });
});

describe('the reads of one call', () => {
  it('are bounded with 120 sessions, and it says where it stopped', async () => {
    await start({}, 0);
    const oldest = begin(deployer);
    for (let index = 0; index < 119; index++) begin(analyst);
    await settle();
    const first = await requestsOf(() => list());
    expect(first.logs).toBeLessThanOrEqual(50);
    expect(first.lists).toBe(1);
    expect(first.answer.data).toMatchObject({ approvals: [], has_more: true, complete: false, sessions_examined: 50 });
    expect(first.answer.data.note).toMatch(/^Stopped after 50 sessions .* next_page\.$/);
    const pages = await allPages({});
    expect(pages.map(({ data }) => data.sessions_examined as number)).toEqual([50, 50, 20]);
    expect(pages.flatMap(approvalsOf).map(({ session_id }) => session_id)).toEqual([oldest, oldest]);
  });

  it('reads no session again that has finished a while ago', async () => {
    await start();
    for (let index = 0; index < 120; index++) begin(analyst);
    const asking = begin(deployer);
    await settle();
    clock.advance(10 * MINUTE_MS);
    expect((await allPages({})).length).toBe(3);
    const again = await requestsOf(() => list());
    expect(again.answer.data).toMatchObject({ count: 2, complete: true, sessions_examined: 121 });
    expect(approvalsOf(again.answer)[0]?.session_id).toBe(asking);
    expect([again.lists, again.logs]).toEqual([2, 1]);
  });

  it('are of at most five pages of sessions, also when all are known', async () => {
    await start();
    for (let index = 0; index < 520; index++) begin(analyst);
    await settle();
    clock.advance(10 * MINUTE_MS);
    await allPages({});
    const { lists, logs, answer } = await requestsOf(() => list());
    expect([lists, logs]).toEqual([5, 0]);
    expect(answer.data).toMatchObject({ sessions_examined: 499, complete: false, has_more: true });
    expect((await list({ page: answer.data.next_page })).data).toMatchObject({ sessions_examined: 21, complete: true });
  });
});

describe('a session that had finished', () => {
  const asksLater = turns([say('Done.')], [ask({ name: 'bash', input: { command: 'make' } })]);

  it.each([0, 2000])('is found at once when it asks after another message, status lag %i ms', async (statusLagMs) => {
    await start({ simulator: { statusLagMs } });
    plays(deployer, asksLater);
    const session_id = begin(deployer);
    await settle();
    clock.advance(10 * MINUTE_MS);
    await list();
    expect((await requestsOf(() => list())).logs).toBe(0);
    await callTool(harness.client, 'session_message', { session_id, text: 'And now?' });
    await settle();
    expect(approvalsOf(await list())).toEqual([expect.objectContaining({ session_id })]);
    clock.advance(10 * MINUTE_MS);
    expect(approvalsOf(await list())).toHaveLength(1);
    expect(approvalsOf(await list())).toHaveLength(1);
  });

  it('is read again as long as its object may still be ahead of its log, or behind', async () => {
    await start({}, MINUTE_MS / 2);
    begin(analyst);
    await settle();
    await list();
    expect((await requestsOf(() => list())).logs).toBe(1);
  });

  it('never hides in a page of the list that was read before it asked', async () => {
    await start();
    plays(deployer, asksLater);
    const session_id = begin(deployer);
    await settle();
    clock.advance(10 * MINUTE_MS);
    harness.simulator.faults.add({
      path: /^\/v1\/sessions\/[^/]+\/events$/,
      race: (world) => {
        const content = [{ type: 'text', text: 'And now?' }];
        world.sessions.get(session_id).inbox.accept([{ type: 'user.message', content }]);
      },
    });
    await list();
    await settle();
    expect(approvalsOf(await list())).toHaveLength(1);
  });
});

describe('when the API fails', () => {
  it('leaves out a session that was deleted meanwhile', async () => {
    await start();
    const kept = begin(support);
    const gone = begin(deployer);
    await settle();
    harness.simulator.faults.add({
      path: new RegExp(`/${gone}/events$`),
      race: (world) => void world.sessions.delete(gone),
    });
    const answer = await list();
    expect(answer.data).toMatchObject({ count: 1, complete: true, sessions_examined: 2 });
    expect(approvalsOf(answer)[0]?.session_id).toBe(kept);
  });

  it.each([
    ['429', { status: 429, retryAfter: 30 }, /rate or spend limit .* Try again in 30 seconds/],
    ['529', { status: 529 }, /overloaded/],
    ['500', { status: 500 }, /failed \(500/],
    ['a lost connection', { reset: 'before' as const }, /could not be reached/],
  ])('in the middle (%s), shows what was found and goes on from there', async (_, failure, message) => {
    await start();
    for (let index = 0; index < 8; index++) begin(support);
    await settle();
    const all = idsOf(await list());
    const third = approvalsOf(await list())[2]!.session_id;
    harness.simulator.faults.add({ path: new RegExp(`/${third}/events$`), ...failure });
    const answer = await list();
    expect(answer.data).toMatchObject({ count: 2, has_more: true, complete: false, sessions_examined: 2 });
    expect(answer.data.note).toMatch(
      /^Stopped after 2 sessions; call approval_list again later with page set to next_page\. /,
    );
    expect(answer.data.note).toMatch(message);
    const rest = await list({ page: answer.data.next_page });
    expect([...idsOf(answer), ...idsOf(rest)]).toEqual(all);
  });

  it('says so in the log of the operator', async () => {
    await start({ env: { MCP_LOG_LEVEL: 'warn' } });
    begin(support);
    const newest = begin(support);
    await settle();
    harness.simulator.faults.add({ path: new RegExp(`/(?!${newest})[^/]+/events$`), status: 529 });
    await list();
    expect(logLines()).toContainEqual(
      expect.objectContaining({
        msg: 'approval_list ended early',
        operation: 'list events',
        kind: 'status',
        status: 529,
      }),
    );
  });

  it('at the second page of sessions, shows what the first one had', async () => {
    await start();
    for (let index = 0; index < 110; index++) begin(analyst);
    await settle();
    clock.advance(10 * MINUTE_MS);
    await allPages({});
    harness.simulator.faults.add({ path: /^\/v1\/sessions$/, after: 1, status: 503 });
    const answer = await list();
    expect(answer.data).toMatchObject({ has_more: true, complete: false, sessions_examined: 99 });
    expect((await list({ page: answer.data.next_page })).data).toMatchObject({ sessions_examined: 11, complete: true });
  });

  it.each([
    ['the list of sessions', /^\/v1\/sessions$/],
    ['the first session', /\/events$/],
  ])('at %s, gives the error itself', async (_, path) => {
    await start();
    begin(deployer);
    await settle();
    harness.simulator.faults.add({ path, status: 429, retryAfter: 7, times: Infinity });
    expect(await list()).toMatchObject({
      isError: true,
      text: expect.stringMatching(/rate or spend limit .* 7 seconds/) as string,
    });
  });
});

it('says when a log is too long to be sure', async () => {
  await start();
  plays(deployer, [ask({ name: 'bash' })]);
  const id = begin(deployer);
  await settle();
  const session = harness.simulator.world.sessions.get(id);
  for (let index = 0; index < 4300; index++) session.record({ type: 'agent.thinking' });
  const answer = await list();
  expect(answer.data).toMatchObject({ has_more: false, complete: false });
  expect(answer.data.note).toMatch(/logs of 1 of the sessions are too long/);
});

it('costs each client little', async () => {
  await start();
  const { tools } = await harness.client.listTools();
  const definition = tools.find(({ name }) => name === 'approval_list');
  expect(definition?.annotations).toMatchObject({ readOnlyHint: true, destructiveHint: false });
  expect(JSON.stringify(definition).length).toBeLessThanOrEqual(900);
});
