import { createServer, connect, type Server } from 'node:net';
import { once } from 'node:events';
import { runDoctor } from '../../src/bootstrap/doctor.js';
import { StoreHealth } from '../../src/guardrails/limits/store-health.js';
import { FIXTURES } from '../simulator/index.js';
import { type ToolAnswer } from '../support/client.js';
import { eventually } from '../support/eventually.js';
import {
  describeWithRedis,
  REDIS_PASSWORD,
  RedisCluster,
  RedisServer,
  Replicas,
  SENTINEL_PASSWORD,
  SentinelSetup,
} from '../support/redis.js';
import { serverEnv, withEnvironment } from '../support/server.js';
import { logLines, logMessages, stderrText } from '../support/stderr.js';

const START = { agent_id: FIXTURES.agents.analyst, environment_id: FIXTURES.environments.cloud, message: 'work' };

const replicas = Replicas.forEachTest();
const started = replicas.started.bind(replicas);

async function serverAt(redisUrl: string, env: Record<string, string> = {}) {
  const settings = { MCP_REDIS_URL: redisUrl, MCP_LOG_LEVEL: 'warn', MCP_MAX_STARTS_PER_HOUR: '1000', ...env };
  const { server, call } = await replicas.start(settings);
  return {
    call,
    health: server.app.get(StoreHealth, { strict: false }),
    readyz: async () => {
      const response = await fetch(`${server.url}/readyz`);
      return { status: response.status, body: (await response.json()) as object };
    },
  };
}

/** What the doctor reports about Redis, and its verdict. */
async function doctor(redisUrl: string): Promise<string> {
  const before = stderrText().length;
  const env = serverEnv(replicas.simulator.url, { MCP_REDIS_URL: redisUrl });
  const ok = await withEnvironment(env, () => runDoctor('http'));
  const lines = stderrText().slice(before).split('\n');
  return `${lines.filter((line) => line.includes('Redis')).join('\n')} ${ok}`;
}

const granted = (answers: ToolAnswer[]) => answers.filter(({ isError }) => !isError).length;
const NOT_READY = { status: 503, body: { status: 'not_ready', checks: { accepting_calls: 'ok', redis: 'failing' } } };

describeWithRedis('a single Redis', () => {
  it('that is full: not ready, and log, refusal, metric and doctor tell it from one that is away', async () => {
    const redis = await started(RedisServer.start({ 'maxmemory-policy': 'noeviction' }));
    const { call, health, readyz } = await serverAt(redis.url);
    expect(await readyz()).toMatchObject({ status: 200 });
    await redis.command('CONFIG', 'SET', 'maxmemory', '1');
    expect((await call('session_start', START)).text).toMatch(/rate-limit store is out of memory\. Nothing was done/);
    expect(await eventually('not ready', readyz, ({ status }) => status === 503)).toEqual(NOT_READY);
    expect(logMessages()).toContainEqual(
      expect.stringMatching(/store is out of memory \(OOM\).*session starts are refused/),
    );
    const kinds = [...health.failures].filter(([, count]) => count > 0).map(([kind]) => kind);
    expect(kinds).toEqual(['full']);
    expect(await doctor(redis.url)).toMatch(/^problem +Redis is out of memory \(OOM\)\. Raise maxmemory.* false$/);
    await redis.command('CONFIG', 'SET', 'maxmemory', '0');
    await eventually('ready', readyz, ({ status }) => status === 200);
    expect((await call('session_start', START)).isError).toBe(false);
    expect(await doctor(redis.url)).toMatch(/^ok +Redis can be written to: .* true$/);
  });

  it('that is a replica: not ready, and it is reported as one that accepts no writes', async () => {
    const primary = await started(RedisServer.start());
    const replica = await started(RedisServer.start({ replicaof: `127.0.0.1 ${primary.port}` }));
    const { call, readyz } = await serverAt(replica.url);
    expect((await call('session_start', START)).text).toMatch(/rate-limit store accepts no writes/);
    expect(await readyz()).toEqual(NOT_READY);
    expect(logMessages()).toContainEqual(expect.stringMatching(/store accepts no writes \(READONLY\)/));
    expect(await doctor(replica.url)).toMatch(
      /^problem +Redis accepts no writes \(READONLY\).*lead to the primary.* false$/,
    );
  });

  it('whose address moves to a promoted replica: the connection to the old primary is left', async () => {
    const [old, promoted] = [await started(RedisServer.start()), await started(RedisServer.start())];
    let target = old.port;
    const endpoint = await forwarder(() => target);
    const { call } = await serverAt(`redis://:${REDIS_PASSWORD}@127.0.0.1:${endpoint}/0`);
    expect((await call('session_start', START)).isError).toBe(false);
    await old.command('REPLICAOF', '127.0.0.1', promoted.port);
    target = promoted.port;
    await eventually(
      'a start works again',
      () => call('session_start', START),
      ({ isError }) => !isError,
    );
    expect(String(await promoted.command('KEYS', '*'))).toContain('managed-agent-control:starts:');
  });

  it('that refuses the password, or the commands: reported as such, without the password', async () => {
    const redis = await started(RedisServer.start());
    const url = redis.url.replace(REDIS_PASSWORD, 'not-the-password');
    const { call, readyz } = await serverAt(url);
    expect((await call('session_start', START)).text).toMatch(/store refuses the credentials of this server/);
    expect(await readyz()).toEqual(NOT_READY);
    expect(logMessages()).toContainEqual(expect.stringMatching(/refuses the credentials .*\(WRONGPASS\)/));
    expect(await doctor(url)).toMatch(/^problem +Redis refuses the credentials .*\(WRONGPASS\)/);
    await redis.command(
      'ACL',
      'SETUSER',
      'reader',
      'on',
      '>reader-password',
      '~*',
      '+@read',
      '+ping',
      '+info',
      '+hello',
      '+client',
    );
    expect(await doctor(`redis://reader:reader-password@127.0.0.1:${redis.port}`)).toMatch(/^problem .*\(NOPERM\)/);
    expect(stderrText()).not.toMatch(/not-the-password|reader-password/);
  });

  it('what its client writes to the console is a line of the log', async () => {
    const redis = await started(RedisServer.start());
    await redis.command('ACL', 'SETUSER', 'counter', 'on', '>counter-password', '~*', '+@all', '-info');
    await serverAt(`redis://counter:counter-password@127.0.0.1:${redis.port}`);
    expect(logLines()).toContainEqual(
      expect.objectContaining({
        level: 'warn',
        context: 'Console',
        msg: expect.stringContaining('Skipping the ready check'),
      }),
    );
    expect(
      stderrText()
        .split('\n')
        .filter((line) => line !== '' && !line.startsWith('{')),
    ).toEqual([]);
  });
});

describeWithRedis('a cluster', () => {
  let cluster: RedisCluster;
  beforeEach(async () => {
    cluster = await started(RedisCluster.start());
  });

  it('counts one limit for all replicas, for callers and starts on every node', async () => {
    const env = { MCP_RATE_LIMIT_PER_MINUTE: '10', MCP_MAX_RUNNING_SESSIONS: '5' };
    const [one, two] = [await serverAt(cluster.url, env), await serverAt(cluster.url, env)];
    expect(await one.readyz()).toMatchObject({ status: 200 });
    expect((await two.call('session_start', START)).isError).toBe(false);
    const answers: ToolAnswer[] = [];
    for (let count = 0; count < 10; count += 1) answers.push(await (count % 2 ? one : two).call('agent_list'));
    expect(granted(answers)).toBe(9);
    expect(await doctor(cluster.url)).toMatch(/^ok +Redis can be written to/);
    const keys = await Promise.all(cluster.nodes.map((node) => node.command('KEYS', '*probe*')));
    // The probe writes to every node.
    expect(keys.map((found) => (found as string[]).length > 0)).toEqual([true, true, true]);
  });

  it('one full node of several is enough not to be ready', async () => {
    const { readyz } = await serverAt(cluster.url);
    for (const node of cluster.nodes) {
      await eventually('ready', readyz, ({ status }) => status === 200);
      await node.command('CONFIG', 'SET', 'maxmemory', '1');
      await eventually('not ready', readyz, ({ status }) => status === 503);
      await node.command('CONFIG', 'SET', 'maxmemory', '0');
    }
    expect(logMessages()).toContainEqual(expect.stringMatching(/store is out of memory \(OOM\)/));
  });

  it('at the address of a single Redis, and the reverse, is told from one that is away', async () => {
    const address = `redis://:${REDIS_PASSWORD}@127.0.0.1:${cluster.nodes[0]!.port}`;
    const { call, readyz } = await serverAt(address, { MCP_MAX_RUNNING_SESSIONS: '5' });
    await eventually('some key is on another node', readyz, ({ status }) => status === 503);
    await call('session_start', START);
    expect(logMessages()).toContainEqual(expect.stringMatching(/not in the mode .*\(MOVED\)/));
    expect(await doctor(address)).toMatch(/^problem .*not in the mode .*\(MOVED\)\. Use redis\+cluster:\/\//);
    const single = await started(RedisServer.start());
    expect(await doctor(single.url.replace('redis:', 'redis+cluster:'))).toMatch(
      /^problem .*not in the mode .*\(cluster support disabled\)/,
    );
  });

  it('whose node is away: not ready, and ready again when it is back', async () => {
    const { call, readyz } = await serverAt(cluster.url);
    await cluster.nodes[1]!.stop();
    expect(await eventually('not ready', readyz, ({ status }) => status === 503)).toEqual(NOT_READY);
    expect((await call('agent_list')).isError).toBe(false);
    await cluster.nodes[1]!.start();
    await eventually('ready', readyz, ({ status }) => status === 200);
    expect((await call('session_start', START)).isError).toBe(false);
  });
});

describeWithRedis('sentinels', () => {
  it('lead to the primary, and after a failover to the new one', async () => {
    const setup = await started(SentinelSetup.start());
    const { call, readyz } = await serverAt(setup.url);
    expect((await call('session_start', START)).isError).toBe(false);
    expect(await readyz()).toMatchObject({ status: 200 });
    expect(await doctor(setup.url)).toMatch(/^ok +Redis can be written to/);
    await setup.failOver();
    await eventually(
      'a start works again',
      () => call('session_start', START),
      ({ isError }) => !isError,
    );
    await eventually('ready', readyz, ({ status }) => status === 200);
    expect(String(await setup.replica.command('INFO', 'replication'))).toContain('role:master');
    expect(stderrText()).not.toContain(REDIS_PASSWORD);
    expect(stderrText()).not.toContain(SENTINEL_PASSWORD);
  });

  it('that do not answer keep no server from starting', async () => {
    const { call, readyz } = await serverAt('redis+sentinel://127.0.0.1:2/mymaster');
    expect((await call('session_start', START)).text).toMatch(/rate-limit store is unavailable/);
    expect(await readyz()).toEqual(NOT_READY);
  });
});

/** An endpoint in front of a Redis, as managed ones have; it can lead to another server. Connections stay where they are. */
async function forwarder(target: () => number): Promise<number> {
  const server: Server = createServer((client) => {
    const upstream = connect(target(), '127.0.0.1');
    client.pipe(upstream).pipe(client);
    for (const socket of [client, upstream]) {
      socket.on('error', () => {
        client.destroy();
        upstream.destroy();
      });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  replicas.atEnd(() => new Promise((closed) => server.close(closed)));
  return (server.address() as { port: number }).port;
}
