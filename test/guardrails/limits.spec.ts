import Anthropic from '@anthropic-ai/sdk';
import { FIXTURES, say, wait } from '../simulator/index.js';
import { callTool, connectHttp, type ToolAnswer } from '../support/client.js';
import { type Harness, startHarness } from '../support/harness.js';
import { auditLines } from '../support/stderr.js';

const agent_id = FIXTURES.agents.analyst;
const environment_id = FIXTURES.environments.cloud;

let harness: Harness;
afterEach(() => harness.close());

const withLimits = async (env: Record<string, string>) => {
  harness = await startHarness({ env });
};
const call = (name: string, args: Record<string, unknown> = {}) => callTool(harness.client, name, args);
const start = (args: Record<string, unknown> = {}) => call('session_start', { agent_id, environment_id, ...args });
const budgets = () =>
  harness.simulator.requests
    .filter(({ method, path }) => method === 'POST' && path === '/v1/sessions')
    .map(({ body }) => (body as { budget?: { max_list_cost: { amount: string } } }).budget?.max_list_cost.amount);

describe('budgets', () => {
  it('nothing is set, nothing is sent', async () => {
    await withLimits({});
    expect((await start()).data).not.toHaveProperty('budget_usd');
    expect(budgets()).toEqual([undefined]);
  });

  it('the default is put on every start without one, and told', async () => {
    await withLimits({ MCP_DEFAULT_BUDGET_USD: '2.50' });
    expect((await start()).data.budget_usd).toBe(2.5);
    expect((await start({ budget_usd: 100 })).data.budget_usd).toBe(100);
    expect(budgets()).toEqual(['250', '10000']);
  });

  it('the ceiling is the budget of starts without one', async () => {
    await withLimits({ MCP_MAX_BUDGET_USD: '25' });
    expect((await start()).data.budget_usd).toBe(25);
    expect(budgets()).toEqual(['2500']);
  });

  it('the ceiling refuses a larger one, and takes one of its own size', async () => {
    await withLimits({ MCP_DEFAULT_BUDGET_USD: '1', MCP_MAX_BUDGET_USD: '5.05' });
    const answer = await start({ budget_usd: 5.06 });
    expect(answer).toMatchObject({ isError: true, text: expect.stringMatching(/at most 5\.05 US dollars.*operator/) });
    expect(auditLines().at(-1)).toMatchObject({ outcome: 'refused', reason: 'budget_ceiling' });
    expect((await start({ budget_usd: 5.05 })).isError).toBe(false);
    await start();
    expect(budgets()).toEqual(['505', '100']);
  });
});

describe('starts per hour', () => {
  it('the one too many is refused, and told when and what else', async () => {
    await withLimits({ MCP_MAX_STARTS_PER_HOUR: '2' });
    expect((await start()).isError).toBe(false);
    expect((await start()).isError).toBe(false);
    const { isError, text } = await start();
    expect(isError).toBe(true);
    expect(text).toMatch(/MCP_MAX_STARTS_PER_HOUR.*Try again in 3[56]\d\d seconds.*session_message/);
    expect(auditLines().at(-1)).toMatchObject({ outcome: 'refused', reason: 'starts_per_hour' });
    expect((await call('agent_list')).isError).toBe(false);
  });

  it('holds for starts at the same moment', async () => {
    await withLimits({ MCP_MAX_STARTS_PER_HOUR: '5' });
    const answers = await Promise.all(Array.from({ length: 20 }, () => start()));
    expect(answers.filter(({ isError }) => !isError)).toHaveLength(5);
    expect(budgets()).toHaveLength(5);
  });

  it('a start that certainly did not happen does not count', async () => {
    await withLimits({
      MCP_MAX_STARTS_PER_HOUR: '1',
      MCP_MAX_RUNNING_SESSIONS: '1',
      MCP_ALLOWED_ENVIRONMENT_IDS: environment_id,
    });
    for (const status of [400, 401, 402, 403, 404, 413, 429]) {
      harness.simulator.faults.add({ method: 'POST', path: /sessions$/, status });
      expect((await start()).text).not.toMatch(/MCP_MAX/);
    }
    expect((await start({ environment_id: 'env_other' })).text).toMatch(/MCP_ALLOWED_ENVIRONMENT_IDS/);
    expect((await start({ budget_usd: -1 })).isError).toBe(true);
    expect((await start()).isError).toBe(false);
    expect((await start()).text).toMatch(/MCP_MAX_STARTS_PER_HOUR/);
  });

  it.each([
    ['a lost answer', { reset: 'after' as const }],
    ['a failure of the API', { status: 500 }],
  ])('%s counts, because a session may be there', async (_name, failure) => {
    await withLimits({ MCP_MAX_STARTS_PER_HOUR: '1' });
    harness.simulator.faults.add({ method: 'POST', path: /sessions$/, ...failure });
    expect((await start()).isError).toBe(true);
    expect((await start()).text).toMatch(/MCP_MAX_STARTS_PER_HOUR/);
  });
});

describe('running sessions', () => {
  beforeEach(async () => {
    await withLimits({ MCP_MAX_RUNNING_SESSIONS: '2' });
    harness.simulator.scenarios.set(agent_id, [wait(600_000), say('done')]);
  });

  it('the one too many is refused, with the sessions that run', async () => {
    const first = (await start({ message: 'work' })).data.session_id as string;
    const second = (await start({ message: 'work' })).data.session_id as string;
    const { text } = await start({ message: 'work' });
    expect(text).toMatch(/MCP_MAX_RUNNING_SESSIONS.*session_wait.*session_interrupt.*try again in 60 seconds/);
    expect(text).toContain(first);
    expect(text).toContain(second);
    expect(auditLines().at(-1)).toMatchObject({ outcome: 'refused', reason: 'running_sessions' });
  });

  it('a session at rest makes room, and takes it again when it goes on', async () => {
    const { session_id } = (await start({ message: 'work' })).data;
    await start({ message: 'work' });
    await call('session_interrupt', { session_id });
    expect((await call('session_wait', { session_id })).data.reason).toBe('turn_over');
    const third = await start();
    expect(third.isError).toBe(false);
    await call('session_message', { session_id: third.data.session_id, text: 'work' });
    const { data } = await call('session_wait', { session_id: third.data.session_id, timeout_seconds: 1 });
    expect(data).toMatchObject({ reason: 'timeout', status: 'running' });
    expect((await start()).text).toMatch(/MCP_MAX_RUNNING_SESSIONS/);
  });

  it('sessions that were not started here do not count', async () => {
    const elsewhere = new Anthropic({ apiKey: 'sk-ant-test-canary', baseURL: harness.simulator.url });
    const initial_events = [{ type: 'user.message' as const, content: [{ type: 'text' as const, text: 'work' }] }];
    for (let count = 0; count < 3; count++) {
      await elsewhere.beta.sessions.create({ agent: agent_id, environment_id, initial_events });
    }
    expect((await start({ message: 'work' })).isError).toBe(false);
    expect((await start({ message: 'work' })).isError).toBe(false);
    expect((await start({ message: 'work' })).text).toMatch(/MCP_MAX_RUNNING_SESSIONS/);
  });

  it('of starts at the same moment only as many get through', async () => {
    const answers = await Promise.all(Array.from({ length: 10 }, () => start({ message: 'work' })));
    expect(answers.filter(({ isError }) => !isError)).toHaveLength(2);
  });

  it('one that the list of the API does not show yet counts, and no longer once its log shows that it is over', async () => {
    harness.simulator.scenarios.set(agent_id, [wait(600_000), say('done')]);
    harness.simulator.faults.add({
      method: 'GET',
      path: /\/v1\/sessions$/,
      answer: { data: [], next_page: null },
      times: 99,
    });
    const answers: ToolAnswer[] = [];
    for (let count = 0; count < 6; count++) answers.push(await start({ message: 'work' }));
    expect(answers.filter(({ isError }) => !isError)).toHaveLength(2);
    const [{ session_id }] = answers.map(({ data }) => data) as [{ session_id: string }];
    expect(answers.at(-1)!.text).toContain(session_id);
    await call('session_interrupt', { session_id });
    expect((await call('session_wait', { session_id })).data.reason).toBe('turn_over');
    expect((await start({ message: 'work' })).isError).toBe(false);
    expect((await start({ message: 'work' })).text).toMatch(/MCP_MAX_RUNNING_SESSIONS/);
  });

  it.each([
    ['an object without an id', {}],
    ['nothing', null],
    ['a list', []],
  ])('a create that is answered with %s does not block later starts', async (_name, answer) => {
    for (let count = 0; count < 3; count++) {
      harness.simulator.faults.add({ method: 'POST', path: /\/v1\/sessions$/, answer });
      await start({ message: 'work' });
    }
    expect((await start({ message: 'work' })).isError).toBe(false);
    expect((await start({ message: 'work' })).isError).toBe(false);
    expect((await start({ message: 'work' })).text).toMatch(/MCP_MAX_RUNNING_SESSIONS/);
  });

  it('the API is asked only when the limit may be reached, and with one read', async () => {
    const reads = () => harness.simulator.requests.filter(({ method }) => method === 'GET').length;
    await start({ message: 'work' });
    await start({ message: 'work' });
    expect(reads()).toBe(0);
    await start({ message: 'work' });
    expect(reads()).toBe(1);
  });

  it('when the API cannot be asked nothing is started, and nothing is lost', async () => {
    await start();
    await start();
    harness.simulator.faults.add({ method: 'GET', path: /sessions$/, status: 500 });
    expect((await start()).text).toMatch(/The Managed Agents API failed \(500, list sessions\)/);
    expect((await start()).isError).toBe(false);
  });
});

describe('calls per minute', () => {
  it('the one too many is refused, whatever the tool', async () => {
    await withLimits({ MCP_RATE_LIMIT_PER_MINUTE: '3' });
    await call('agent_list');
    await call('vault_list');
    await call('session_get', { session_id: 'sesn_unknown' });
    const { text } = await call('agent_list');
    expect(text).toMatch(/MCP_RATE_LIMIT_PER_MINUTE.*Try again in [1-6]?\d seconds?.*session_wait/);
    expect((await start()).text).toMatch(/MCP_RATE_LIMIT_PER_MINUTE/);
    expect(auditLines().at(-1)).toMatchObject({ outcome: 'refused', reason: 'rate_limit' });
    const other = await connectHttp(harness.server.url);
    expect((await callTool(other, 'agent_list')).text).toMatch(/MCP_RATE_LIMIT_PER_MINUTE/);
    await other.close();
  });

  const ISOLATED = { MCP_RATE_LIMIT_PER_MINUTE: '3', MCP_SESSION_ISOLATION: 'owner' };
  const requests = () => harness.simulator.requests.length;
  const rulesOf = (tool: string) =>
    auditLines()
      .filter(({ audit }) => audit === tool)
      .map(({ rule }) => rule);

  it('guessing at ids of sessions costs calls, and no more reads of the API than calls are allowed', async () => {
    await withLimits(ISOLATED);
    for (let guess = 0; guess < 10; guess++) await call('session_get', { session_id: `sesn_guess${guess}` });
    expect(requests()).toBe(3);
    expect(rulesOf('session_get')).toEqual([
      ...Array<string>(3).fill('unknown_session'),
      ...Array<string>(7).fill('rate_limit'),
    ]);
  });

  it('a guess at a session of somebody else costs the same, also when it is known already', async () => {
    await withLimits(ISOLATED);
    const elsewhere = new Anthropic({ apiKey: 'sk-ant-test-canary', baseURL: harness.simulator.url });
    const { id: session_id } = await elsewhere.beta.sessions.create({ agent: agent_id, environment_id });
    for (let guess = 0; guess < 5; guess++) await call('session_get', { session_id });
    expect(rulesOf('session_get')).toEqual([
      ...Array<string>(3).fill('session_isolation'),
      ...Array<string>(2).fill('rate_limit'),
    ]);
  });

  it('a call that goes on after the look takes one, and what another rule refuses takes none', async () => {
    await withLimits({ ...ISOLATED, MCP_ALLOW_DESTRUCTIVE: 'false', MCP_MAX_BUDGET_USD: '1' });
    const { session_id } = (await start()).data;
    for (let count = 0; count < 5; count++) {
      expect((await call('session_delete', { session_id })).text).toMatch(/MCP_ALLOW_DESTRUCTIVE/);
      expect((await call('session_update', { session_id, budget_usd: 2 })).text).toMatch(/MCP_MAX_BUDGET_USD/);
    }
    await call('session_get', { session_id });
    await call('session_get', { session_id });
    expect((await call('session_get', { session_id })).text).toMatch(/MCP_RATE_LIMIT_PER_MINUTE/);
  });
});
