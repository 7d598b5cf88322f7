import { type Redis } from 'ioredis';
import { RedisConnection } from '../../src/guardrails/limits/redis-connection.js';
import { StoreHealth } from '../../src/guardrails/limits/store-health.js';
import { FIXTURES, say, wait } from '../simulator/index.js';
import { type ToolAnswer } from '../support/client.js';
import { eventually } from '../support/eventually.js';
import { describeWithRedis, REDIS_PASSWORD, RedisServer, Replicas } from '../support/redis.js';
import { CLOSED_PORT } from '../support/ports.js';
import { serverEnv, type TestServer } from '../support/server.js';
import { startServerProcess } from '../support/server-process.js';
import { auditLines, logLines, stderrText } from '../support/stderr.js';

const agent_id = FIXTURES.agents.analyst;
const environment_id = FIXTURES.environments.cloud;
const START = { agent_id, environment_id, message: 'work' };

let redis: RedisServer;
const replicas = Replicas.forEachTest();
/** A server in this process, whose connection to Redis a test can watch. */
const serverWith = (env: Record<string, string>) => replicas.start(env);

const redisOf = ({ app }: TestServer) => app.get(RedisConnection, { strict: false }).client as Redis;
/** Not `once` of node:events: that takes every failed attempt to reconnect for the end. */
const happens = (client: ReturnType<typeof redisOf>, event: 'close' | 'error' | 'ready' | 'end') =>
  new Promise<void>((resolve) => client.once(event, () => resolve()));
const failuresOf = ({ app }: TestServer) => {
  const decisions = [...app.get(StoreHealth, { strict: false }).decisions.values()];
  const sum = (decision: 'unchecked' | 'unavailable') => decisions.reduce((all, counts) => all + counts[decision], 0);
  return { open: sum('unchecked'), closed: sum('unavailable') };
};
/** One for which no command takes too long: what is counted exactly must not depend on how busy the machine is. */
async function patientServerWith(env: Record<string, string>) {
  const started = await serverWith(env);
  started.server.app.get(StoreHealth, { strict: false }).answerTimeoutMs = 120_000;
  return started;
}
const granted = (answers: ToolAnswer[]) => answers.filter(({ isError }) => !isError).length;

describe('a Redis that is not there', () => {
  const unreachable = (env: Record<string, string> = {}) =>
    serverWith({
      MCP_REDIS_URL: `redis://:${REDIS_PASSWORD}@127.0.0.1:${CLOSED_PORT}`,
      MCP_RATE_LIMIT_PER_MINUTE: '1',
      MCP_MAX_STARTS_PER_HOUR: '1',
      MCP_MAX_RUNNING_SESSIONS: '1',
      ...env,
    });

  it('keeps no server from starting; starts are refused and other calls pass', async () => {
    const { server, call } = await unreachable();
    expect(await call('session_start', START)).toMatchObject({
      isError: true,
      text: expect.stringMatching(/cannot be checked.*Nothing was done\. Try again in 30 seconds/),
    });
    expect(auditLines().at(-1)).toMatchObject({ outcome: 'refused', reason: 'limit_store' });
    for (let count = 0; count < 3; count++) expect((await call('agent_list')).isError).toBe(false);
    expect(failuresOf(server)).toEqual({ closed: 1, open: 3 });
  });

  it('open lets starts through, closed refuses reads', async () => {
    const open = await unreachable({ MCP_RATE_LIMIT_ON_STORE_FAILURE: 'open' });
    expect((await open.call('session_start', START)).isError).toBe(false);
    const closed = await unreachable({ MCP_RATE_LIMIT_ON_STORE_FAILURE: 'closed' });
    expect((await closed.call('agent_list')).text).toMatch(/cannot be checked/);
  });

  it('is told in the log, but not once for every call, and without its password', async () => {
    const { call } = await unreachable();
    for (let count = 0; count < 20; count++) await call('agent_list');
    const lines = logLines()
      .filter(({ context }) => context === 'Limits')
      .map(({ msg }) => msg);
    expect(lines).toEqual([expect.stringMatching(/is unavailable \(ECONNREFUSED\).*session starts are refused/)]);
    expect(stderrText()).not.toContain(REDIS_PASSWORD);
  });
});

describeWithRedis('replicas that share a Redis', () => {
  beforeEach(async () => {
    redis = await replicas.started(RedisServer.start());
  });

  it('two processes, one limit', async () => {
    const LIMIT = 100;
    const env = {
      MCP_REDIS_URL: redis.url,
      MCP_RATE_LIMIT_PER_MINUTE: String(LIMIT),
      // On a busy machine a command may take too long; such a call is neither granted nor certainly uncounted.
      MCP_RATE_LIMIT_ON_STORE_FAILURE: 'closed',
    };
    const start = () => replicas.started(startServerProcess(serverEnv(replicas.simulator.url, env)));
    const servers = await Promise.all([start(), start()]);
    const calls = await Promise.all(servers.map(({ url }) => replicas.clientOf(url)));
    const answers: ToolAnswer[] = [];
    // Not all at once: a machine too busy to answer within the time a command may take is another matter.
    while (answers.length < 2 * LIMIT) {
      const batch = calls.flatMap((call) => Array.from({ length: 5 }, () => call('vault_list', { limit: 1 })));
      answers.push(...(await Promise.all(batch)));
    }
    process.stdout.write(`two processes, ${answers.length} calls: ${granted(answers)} granted of ${LIMIT}\n`);
    const unchecked = answers.filter(({ text }) => text.includes('cannot be checked')).length;
    expect(granted(answers)).toBeLessThanOrEqual(LIMIT * 1.05);
    expect(granted(answers) + unchecked).toBeGreaterThanOrEqual(LIMIT * 0.95);
    for (const server of servers) expect(server.stderr()).not.toContain(REDIS_PASSWORD);
  });

  it('starts and running sessions are shared as well', async () => {
    replicas.simulator.scenarios.set(agent_id, [wait(600_000), say('done')]);
    const env = { MCP_REDIS_URL: redis.url, MCP_MAX_RUNNING_SESSIONS: '3' };
    const [one, two] = [await patientServerWith(env), await patientServerWith(env)];
    const both = [one, two].flatMap(({ call }) => Array.from({ length: 5 }, () => call('session_start', START)));
    expect(granted(await Promise.all(both))).toBe(3);
    expect((await two.call('session_start', START)).text).toMatch(/MCP_MAX_RUNNING_SESSIONS/);
    const hourly = { MCP_REDIS_URL: redis.url, MCP_MAX_STARTS_PER_HOUR: '3' };
    const [three, four] = [await patientServerWith(hourly), await patientServerWith(hourly)];
    const all = [three, four].flatMap(({ call }) => Array.from({ length: 5 }, () => call('session_start', START)));
    expect(granted(await Promise.all(all))).toBe(3);
  });

  it('each caller has limits of its own', async () => {
    const env = { MCP_REDIS_URL: redis.url, MCP_RATE_LIMIT_PER_MINUTE: '2' };
    const token = await serverWith(env);
    const anyone = await serverWith({ ...env, MCP_AUTH_MODE: '', MCP_ALLOW_INSECURE_NO_AUTH: 'true' });
    for (let count = 0; count < 2; count++) {
      expect((await token.call('agent_list')).isError).toBe(false);
      expect((await anyone.call('agent_list')).isError).toBe(false);
    }
    expect((await token.call('agent_list')).isError).toBe(true);
    expect((await anyone.call('agent_list')).isError).toBe(true);
  });

  it('a Redis that is stopped and started in the middle: the rules for its absence, then the limit again', async () => {
    const { server, call } = await serverWith({
      MCP_REDIS_URL: redis.url,
      MCP_RATE_LIMIT_PER_MINUTE: '5',
      MCP_MAX_STARTS_PER_HOUR: '5',
      MCP_LOG_LEVEL: 'warn',
    });
    expect((await call('session_start', START)).isError).toBe(false);
    const closed = happens(redisOf(server), 'close');
    await redis.stop();
    await closed;
    for (let count = 0; count < 8; count++) expect((await call('agent_list')).isError).toBe(false);
    expect((await call('session_start', START)).text).toMatch(/cannot be checked/);
    expect(failuresOf(server)).toEqual({ open: 8, closed: 1 });
    const ready = happens(redisOf(server), 'ready');
    await redis.start();
    await ready;
    const answers = [];
    for (let count = 0; count < 8; count++) answers.push(await call('agent_list'));
    expect(granted(answers)).toBe(5);
    expect(stderrText()).toMatch(/rate-limit store is unavailable \(/);
    expect(stderrText()).toMatch(/is available again/);
    expect(stderrText()).not.toContain(REDIS_PASSWORD);
  });

  it('a Redis that comes back is up again before any call asks it', async () => {
    const { server } = await serverWith({
      MCP_REDIS_URL: redis.url,
      MCP_RATE_LIMIT_PER_MINUTE: '5',
      MCP_LOG_LEVEL: 'warn',
    });
    const health = server.app.get(StoreHealth, { strict: false });
    const failed = happens(redisOf(server), 'error');
    await redis.stop();
    await failed;
    expect(health.up).toBe(false);
    const ready = happens(redisOf(server), 'ready');
    await redis.start();
    await ready;
    await eventually('the store is up', () => health.up);
    expect(stderrText()).toMatch(/is available again/);
  });

  it('a Redis that hangs holds a call up for as long as a command may take: a second', async () => {
    const { server, call } = await serverWith({ MCP_REDIS_URL: redis.url, MCP_RATE_LIMIT_PER_MINUTE: '5' });
    expect((await call('agent_list')).isError).toBe(false);
    redis.freeze();
    expect((await call('agent_list')).isError).toBe(false);
    // It was the time of the command that ran out, before that of the connection, and it was tried once.
    const { answerTimeoutMs } = server.app.get(StoreHealth, { strict: false });
    const { socketTimeout, maxRetriesPerRequest } = redisOf(server).options;
    expect({ answerTimeoutMs, maxRetriesPerRequest }).toEqual({ answerTimeoutMs: 1000, maxRetriesPerRequest: 0 });
    expect(socketTimeout).toBeGreaterThan(answerTimeoutMs);
    expect(stderrText()).toMatch(/is unavailable \(Command timed out\)/);
  });

  it.each([
    ['than a command may take', 1500],
    ['than a connection may be silent', 5500],
  ])('a process that could not react for longer %s does not take Redis for absent', async (_what, ms) => {
    const { server } = await serverWith({ MCP_REDIS_URL: redis.url, MCP_RATE_LIMIT_PER_MINUTE: '5' });
    const question = server.app
      .get(StoreHealth, { strict: false })
      .query('calls', 'observe', () => redisOf(server).ping());
    const until = performance.now() + ms;
    while (performance.now() < until);
    expect(await question).toEqual({ answer: 'PONG' });
    expect(failuresOf(server)).toEqual({ open: 0, closed: 0 });
  });

  it('a server that ends closes its connection', async () => {
    const { server, call } = await serverWith({ MCP_REDIS_URL: redis.url, MCP_MAX_STARTS_PER_HOUR: '5' });
    expect((await call('session_start', START)).isError).toBe(false);
    const ended = happens(redisOf(server), 'end');
    await server.close();
    await ended;
  });
});
