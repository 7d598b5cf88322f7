import { ask, customTool, FIXTURES, say, Simulator } from '../simulator/index.js';
import { callTool, connectHttp } from '../support/client.js';
import { REDIS_SKIPPED, redisFound, RedisServer } from '../support/redis.js';
import { serverEnv, startServer } from '../support/server.js';

const agent_id = FIXTURES.agents.analyst;
const environment_id = FIXTURES.environments.cloud;

let simulator: Simulator;
const toClose: (() => Promise<unknown>)[] = [];
beforeEach(async () => {
  simulator = await Simulator.start({ fixtures: true });
  toClose.push(() => simulator.close());
});
afterEach(async () => {
  for (const close of toClose.splice(0).reverse()) await close();
});

async function replica(env: Record<string, string> = {}) {
  const server = await startServer(serverEnv(simulator.url, env));
  toClose.push(() => server.close());
  const client = await connectHttp(server.url);
  toClose.push(() => client.close());
  return (name: string, args: Record<string, unknown>) => callTool(client, name, args);
}
type Call = Awaited<ReturnType<typeof replica>>;

const posts = () =>
  simulator.requests.filter(({ method, path }) => method === 'POST' && path.endsWith('/events')).length;

/** A session whose agent waits for an answer to one call. */
async function waiting(call: Call): Promise<{ session_id: string; tool_use_id: string }> {
  const { session_id } = (await call('session_start', { agent_id, environment_id, message: 'go' })).data as {
    session_id: string;
  };
  const { pending_actions } = (await call('session_wait', { session_id })).data as {
    pending_actions: { tool_use_id: string }[];
  };
  return { session_id, tool_use_id: pending_actions[0]!.tool_use_id };
}

it('an answer whose result was lost is not sent again by the one who repeats it', async () => {
  simulator.scenarios.set(agent_id, [customTool({ name: 'pay' }), say('done')]);
  const call = await replica();
  const open = await waiting(call);
  simulator.faults.add({ method: 'POST', path: /\/events$/, reset: 'after' });
  const answer = { ...open, custom_result: { text: 'paid' } };
  expect((await call('session_respond', answer)).isError).toBe(true);
  expect((await call('session_respond', answer)).data).toMatchObject({ already_answered: [open.tool_use_id] });
  expect(posts()).toBe(1);
});

(redisFound ? describe : describe.skip)(`replicas that share a Redis${redisFound ? '' : ` (${REDIS_SKIPPED})`}`, () => {
  let one: Call;
  let two: Call;
  beforeEach(async () => {
    const redis = await RedisServer.start();
    toClose.push(() => redis.stop());
    [one, two] = [await replica({ MCP_REDIS_URL: redis.url }), await replica({ MCP_REDIS_URL: redis.url })];
  });

  it.each([
    [
      'custom results',
      [customTool({ name: 'pay' }), say('done')],
      [{ custom_result: { text: 'yes' } }, { custom_result: { text: 'no' } }],
    ],
    ['confirmations', [ask({ name: 'bash' }), say('done')], [{ result: 'allow' }, { result: 'deny' }]],
  ])('%s at the same moment: one is sent, and the other hears what was decided', async (_name, scenario, answers) => {
    simulator.scenarios.set(agent_id, scenario);
    const open = await waiting(one);
    const results = await Promise.all(
      [one, two].map((call, index) => call('session_respond', { ...open, ...answers[index] })),
    );
    expect(posts()).toBe(1);
    expect(results.filter(({ isError }) => isError)).toHaveLength(1);
    expect(results.find(({ isError }) => isError)!.text).toMatch(/already/);
  });

  it('the same answer on both is sent once, and both hear of it', async () => {
    simulator.scenarios.set(agent_id, [customTool({ name: 'pay' }), say('done')]);
    const open = await waiting(one);
    const answer = { ...open, custom_result: { text: 'yes' } };
    const results = await Promise.all([one, two].map((call) => call('session_respond', answer)));
    expect(posts()).toBe(1);
    expect(results.map(({ isError }) => isError)).toEqual([false, false]);
  });

  it('an answer that was refused leaves the call to the other', async () => {
    simulator.scenarios.set(agent_id, [customTool({ name: 'pay' }), say('done')]);
    const open = await waiting(one);
    simulator.faults.add({ method: 'POST', path: /\/events$/, status: 429 });
    expect((await one('session_respond', { ...open, custom_result: { text: 'yes' } })).isError).toBe(true);
    expect((await two('session_respond', { ...open, custom_result: { text: 'no' } })).isError).toBe(false);
  });
});
