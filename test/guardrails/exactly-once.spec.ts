import { ask, customTool, FIXTURES, say } from '../simulator/index.js';
import { ALLOW, type Filled } from '../support/person.js';
import { type Call, describeWithRedis, RedisServer, Replicas } from '../support/redis.js';
import { callAtForms } from '../support/rpc.js';

const agent_id = FIXTURES.agents.analyst;
const environment_id = FIXTURES.environments.cloud;

const replicas = Replicas.forEachTest();
const replica = async (env?: Record<string, string>) => (await replicas.start(env)).call;

const posts = () =>
  replicas.simulator.requests.filter(({ method, path }) => method === 'POST' && path.endsWith('/events')).length;

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
  replicas.simulator.scenarios.set(agent_id, [customTool({ name: 'pay' }), say('done')]);
  const call = await replica();
  const open = await waiting(call);
  replicas.simulator.faults.add({ method: 'POST', path: /\/events$/, reset: 'after' });
  const answer = { ...open, custom_result: { text: 'paid' } };
  expect((await call('session_respond', answer)).isError).toBe(true);
  expect((await call('session_respond', answer)).data).toMatchObject({ already_answered: [open.tool_use_id] });
  expect(posts()).toBe(1);
});

describeWithRedis('replicas that share a Redis', () => {
  let redisUrl: string;
  let one: Call;
  let two: Call;
  beforeEach(async () => {
    const redis = await replicas.started(RedisServer.start());
    redisUrl = redis.url;
    [one, two] = [await replica({ MCP_REDIS_URL: redisUrl }), await replica({ MCP_REDIS_URL: redisUrl })];
  });

  it.each([
    [
      'custom results',
      [customTool({ name: 'pay' }), say('done')],
      [{ custom_result: { text: 'yes' } }, { custom_result: { text: 'no' } }],
    ],
    ['confirmations', [ask({ name: 'bash' }), say('done')], [{ result: 'allow' }, { result: 'deny' }]],
  ])('%s at the same moment: one is sent, and the other hears what was decided', async (_name, scenario, answers) => {
    replicas.simulator.scenarios.set(agent_id, scenario);
    const open = await waiting(one);
    const results = await Promise.all(
      [one, two].map((call, index) => call('session_respond', { ...open, ...answers[index] })),
    );
    expect(posts()).toBe(1);
    expect(results.filter(({ isError }) => isError)).toHaveLength(1);
    expect(results.find(({ isError }) => isError)!.text).toMatch(/already/);
  });

  it('the same answer on both is sent once, and both hear of it', async () => {
    replicas.simulator.scenarios.set(agent_id, [customTool({ name: 'pay' }), say('done')]);
    const open = await waiting(one);
    const answer = { ...open, custom_result: { text: 'yes' } };
    const results = await Promise.all([one, two].map((call) => call('session_respond', answer)));
    expect(posts()).toBe(1);
    expect(results.map(({ isError }) => isError)).toEqual([false, false]);
  });

  it('an answer that was refused leaves the call to the other', async () => {
    replicas.simulator.scenarios.set(agent_id, [customTool({ name: 'pay' }), say('done')]);
    const open = await waiting(one);
    replicas.simulator.faults.add({ method: 'POST', path: /\/events$/, status: 429 });
    expect((await one('session_respond', { ...open, custom_result: { text: 'yes' } })).isError).toBe(true);
    expect((await two('session_respond', { ...open, custom_result: { text: 'no' } })).isError).toBe(false);
  });

  it('a person answers once over both: by a refusal, an answer at the same moment, or one after the other', async () => {
    replicas.simulator.scenarios.set(agent_id, [ask({ name: 'bash' }), say('done')]);
    const urls = await people(redisUrl);
    for (const [first, second] of [
      [DECLINE, ALLOW],
      [ALLOW, ALLOW],
    ] as const) {
      const question = await askedAt(urls[0]!, await waiting(one));
      expect((await question.answerAt(urls[0]!, first)).isError).toBe(false);
      expect(await question.answerAt(urls[1]!, second)).toEqual({ isError: true, text: NOT_VALID });
    }
    expect(posts()).toBe(1);

    const question = await askedAt(urls[0]!, await waiting(one));
    const results = await Promise.all(urls.map((url) => question.answerAt(url, ALLOW)));
    expect(results.filter(({ isError }) => isError)).toEqual([{ isError: true, text: NOT_VALID }]);
    expect(posts()).toBe(2);
  });
});

it('without Redis, a person answers once in each process, and the call is answered once', async () => {
  replicas.simulator.scenarios.set(agent_id, [ask({ name: 'bash' }), say('done')]);
  const call = await replica();
  const urls = await people();
  const question = await askedAt(urls[0]!, await waiting(call));
  for (const [url, filled, expected] of [
    [urls[0]!, DECLINE, { isError: false }],
    [urls[0]!, ALLOW, { isError: true, text: NOT_VALID }],
    [urls[1]!, ALLOW, { isError: false }],
    [urls[1]!, ALLOW, { isError: true, text: NOT_VALID }],
  ] as const) {
    expect(await question.answerAt(url, filled)).toMatchObject(expected);
  }
  expect(posts()).toBe(1);
});

const NOT_VALID = expect.stringMatching(/^This answer of the person is not valid/) as string;
const DECLINE: Filled = { action: 'decline' };

/** Two servers of mode `human` that accept each other's questions. */
async function people(redisUrl?: string): Promise<string[]> {
  const env = {
    MCP_APPROVAL_MODE: 'human',
    MCP_APPROVAL_SECRET: 'a-secret-that-all-replicas-share-0123456789',
    ...(redisUrl !== undefined && { MCP_REDIS_URL: redisUrl }),
  };
  return [(await replicas.start(env)).server.url, (await replicas.start(env)).server.url];
}

/** Asks a person, and returns what brings their answer to any server. */
async function askedAt(url: string, open: { session_id: string; tool_use_id: string }) {
  const params = { arguments: { ...open, result: 'allow' } };
  const { requestState } = (await callAtForms(url, 'session_respond', params)).json.result as { requestState: string };
  expect(requestState).toBeDefined();
  return {
    answerAt: async (at: string, filled: Filled) => {
      const inputResponses = { [open.tool_use_id]: filled };
      const { json } = await callAtForms(at, 'session_respond', { ...params, requestState, inputResponses });
      return { isError: json.result.isError === true, text: json.result.content[0].text as string };
    },
  };
}
