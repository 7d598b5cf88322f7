import { FIXTURES } from '../simulator/index.js';
import { callTool } from '../support/client.js';
import { type Harness, startHarness } from '../support/harness.js';
import { auditLines } from '../support/stderr.js';

const SHA = '0123456789abcdef0123456789abcdef01234567';
const agent_id = FIXTURES.agents.analyst;
const environment_id = FIXTURES.environments.cloud;

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness.close());

const start = (args: Record<string, unknown>) =>
  callTool(harness.client, 'session_start', { agent_id, environment_id, ...args });
const created = () =>
  harness.simulator.requests.filter(({ method, path }) => method === 'POST' && path === '/v1/sessions');

it('is one call: the message travels in initial_events, so no session is ever left without its message', async () => {
  const before = harness.simulator.requests.length;
  const { data } = await start({ message: 'Count to three' });
  expect(data).toMatchObject({
    session_id: expect.stringMatching(/^sesn_/) as string,
    status: 'running',
    message_sent: true,
  });
  expect(harness.simulator.requests.slice(before).map(({ method, path }) => `${method} ${path}`)).toEqual([
    'POST /v1/sessions',
  ]);
  expect(created().at(-1)!.body).toEqual({
    agent: agent_id,
    environment_id,
    initial_events: [{ type: 'user.message', content: [{ type: 'text', text: 'Count to three' }] }],
  });
});

it.each([[{}], [{ message: '' }], [{ message: null }]])(
  'without a message (%j) the session waits for one',
  async (args) => {
    const { data } = await start(args);
    expect(data).toMatchObject({ status: 'idle', message_sent: false });
    expect(created().at(-1)!.body).toEqual({ agent: agent_id, environment_id });
  },
);

it('attaches everything on create', async () => {
  const { data } = await start({
    agent_version: 1,
    title: 'Quarterly numbers',
    metadata: { ticket: 'OPS-1' },
    budget_usd: 2.5,
    vault_ids: [FIXTURES.vaults.github],
    memory_store_ids: [FIXTURES.memoryStores.runbooks],
    file_ids: ['file_01abc'],
    repositories: [
      { url: 'https://github.com/owner/one', branch: 'main' },
      { url: 'https://github.com/owner/two', commit: SHA, mount_path: '/workspace/second' },
    ],
  });
  expect(created().at(-1)!.body).toEqual({
    agent: { type: 'agent', id: agent_id, version: 1 },
    environment_id,
    title: 'Quarterly numbers',
    metadata: { ticket: 'OPS-1' },
    budget: { type: 'limit', max_list_cost: { amount: '250', currency: 'USD' } },
    vault_ids: [FIXTURES.vaults.github],
    resources: [
      { type: 'memory_store', memory_store_id: FIXTURES.memoryStores.runbooks },
      { type: 'github_repository', url: 'https://github.com/owner/one', checkout: { type: 'branch', name: 'main' } },
      {
        type: 'github_repository',
        url: 'https://github.com/owner/two',
        checkout: { type: 'commit', sha: SHA },
        mount_path: '/workspace/second',
      },
      { type: 'file', file_id: 'file_01abc' },
    ],
  });
  const session = await callTool(harness.client, 'session_get', { session_id: data.session_id });
  expect(session.data).toMatchObject({
    title: 'Quarterly numbers',
    metadata: { ticket: 'OPS-1' },
    budget_usd: 2.5,
    turn: 'not_started',
    agent: { id: agent_id, name: 'analyst', version: 1, model: expect.any(String) as string },
  });
});

it.each([
  [0.01, '1'],
  [0.29, '29'],
  [19.99, '1999'],
  [1000, '100000'],
])('a budget of $%d is %s whole cents', async (budget_usd, amount) => {
  await start({ budget_usd });
  expect(created().at(-1)!.body).toMatchObject({ budget: { max_list_cost: { amount, currency: 'USD' } } });
});

it('records the id of the session it created in the audit', async () => {
  const { data } = await start({});
  expect(auditLines()).toEqual([
    expect.objectContaining({
      audit: 'session_start',
      outcome: 'ok',
      session_id: data.session_id,
      agent_id,
      environment_id,
    }),
  ]);
});

it('tells what to do when the API does not know an agent', async () => {
  const answer = await callTool(harness.client, 'session_start', { agent_id: 'agent_01none', environment_id });
  expect(answer).toMatchObject({
    isError: true,
    text: expect.stringMatching(/^Not found \(create session\)/) as string,
  });
});
