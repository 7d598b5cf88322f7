import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { Simulator } from '../simulator/index.js';
import { callTool, connectHttp, type ToolAnswer } from './client.js';
import { eventually } from './eventually.js';
import { Output } from './output.js';
import { atNumberedPort, numberedPort } from './ports.js';
import { serverEnv, startServer, type TestServer } from './server.js';

export const redisFound = spawnSync('redis-server', ['--version']).status === 0;
export const REDIS_SKIPPED = 'redis-server is not installed on this machine';

/** Tests that need Redis. Where it is not installed they are shown as skipped, with the reason. */
export function describeWithRedis(name: string, tests: () => void): void {
  if (redisFound) describe(name, tests);
  else describe.skip(`${name} (${REDIS_SKIPPED})`, tests);
}

/** Planted to be searched for: it may show nowhere. */
export const REDIS_PASSWORD = 'redis-password-canary';

/** Of the sentinels. */
export const SENTINEL_PASSWORD = 'sentinel-password-canary';

export type Call = (name: string, args?: Record<string, unknown>) => Promise<ToolAnswer>;

/** The API and its servers, anew for each test of a suite. Whatever was started ends after the test, the newest first. */
export class Replicas {
  simulator!: Simulator;
  private readonly ends: (() => Promise<unknown>)[] = [];

  static forEachTest(): Replicas {
    const replicas = new Replicas();
    beforeEach(async () => {
      const simulator = await Simulator.start({ fixtures: true });
      replicas.simulator = simulator;
      replicas.atEnd(() => simulator.close());
    });
    afterEach(async () => {
      for (const end of replicas.ends.splice(0).reverse()) await end();
    });
    return replicas;
  }

  /** A server in the process of the test, and a client of it. */
  async start(env: Record<string, string> = {}): Promise<{ readonly server: TestServer; readonly call: Call }> {
    const server = await startServer(serverEnv(this.simulator.url, env));
    this.atEnd(() => server.close());
    return { server, call: await this.clientOf(server.url) };
  }

  async clientOf(url: string): Promise<Call> {
    const client = await connectHttp(url);
    this.atEnd(() => client.close());
    return (name, args = {}) => callTool(client, name, args);
  }

  /** What is starting, once it has started; it stops after the test. */
  async started<T extends { stop(): Promise<unknown> }>(starting: Promise<T>): Promise<T> {
    const started = await starting;
    this.atEnd(() => started.stop());
    return started;
  }

  atEnd(end: () => Promise<unknown>): void {
    this.ends.push(end);
  }
}

type Options = Readonly<Record<string, string | number>>;

/** A Redis of one's own, in memory only, that can be stopped and started again at the same address. */
export class RedisServer {
  private process?: ChildProcess;

  private constructor(
    readonly port: number,
    private readonly options: Options,
  ) {}

  static start(options: Options = {}): Promise<RedisServer> {
    return atNumberedPort(async (port) => {
      const server = new RedisServer(port, options);
      await server.start();
      return server;
    });
  }

  get url(): string {
    return `redis://:${REDIS_PASSWORD}@127.0.0.1:${this.port}/0`;
  }

  async start(): Promise<void> {
    // A replica stores what it gets from its primary in this directory.
    const usual = {
      port: this.port,
      bind: '127.0.0.1',
      save: '',
      appendonly: 'no',
      dir: tmpdir(),
      dbfilename: `test-${this.port}.rdb`,
    };
    const options = { ...usual, requirepass: REDIS_PASSWORD, masterauth: REDIS_PASSWORD, ...this.options };
    const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
    this.process = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'inherit'] });
    await new Output(this.process).match(/Ready to accept connections/);
  }

  /** Sends one command, as an operator does with `redis-cli`. */
  command(name: string, ...args: (string | number)[]): Promise<unknown> {
    return command({ port: this.port, password: REDIS_PASSWORD }, name, args);
  }

  /** It keeps its connections, and answers nothing any more. */
  freeze(): void {
    this.process?.kill('SIGSTOP');
  }

  async stop(): Promise<void> {
    const child = this.process;
    this.process = undefined;
    await killed(child);
  }
}

const SLOTS = 16_384;

/** A cluster of three nodes without replicas. */
export class RedisCluster {
  private constructor(
    readonly nodes: readonly RedisServer[],
    private readonly directory: string,
  ) {}

  static async start(): Promise<RedisCluster> {
    const directory = mkdtempSync(join(tmpdir(), 'redis-cluster-'));
    const nodes: RedisServer[] = [];
    const busPorts: number[] = [];
    const cluster = new RedisCluster(nodes, directory);
    try {
      for (let number = 0; number < 3; number += 1) {
        const busPort = numberedPort();
        const config = { 'cluster-config-file': `nodes-${number}.conf`, 'cluster-node-timeout': 5000 };
        nodes.push(
          await RedisServer.start({ 'cluster-enabled': 'yes', 'cluster-port': busPort, dir: directory, ...config }),
        );
        busPorts.push(busPort);
      }
      await cluster.join(busPorts);
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  /** One node is named; the others are found through it. */
  get url(): string {
    return `redis+cluster://:${REDIS_PASSWORD}@127.0.0.1:${this.nodes[0]!.port}`;
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop()));
    rmSync(this.directory, { recursive: true, force: true });
  }

  private async join(busPorts: readonly number[]): Promise<void> {
    const share = Math.ceil(SLOTS / this.nodes.length);
    for (const [number, node] of this.nodes.entries()) {
      await node.command('CLUSTER', 'ADDSLOTSRANGE', number * share, Math.min((number + 1) * share, SLOTS) - 1);
      if (number > 0) await this.nodes[0]!.command('CLUSTER', 'MEET', '127.0.0.1', node.port, busPorts[number]!);
    }
    const states = () => Promise.all(this.nodes.map((node) => node.command('CLUSTER', 'INFO')));
    const isJoined = (info: unknown) => /cluster_state:ok[^]*cluster_known_nodes:3/.test(String(info));
    await eventually('the cluster is joined', states, (all) => all.every(isJoined));
  }
}

/** A primary with one replica, and a sentinel that watches them. */
export class SentinelSetup {
  private constructor(
    readonly primary: RedisServer,
    readonly replica: RedisServer,
    private readonly sentinel: { readonly port: number; readonly process: ChildProcess },
    private readonly directory: string,
  ) {}

  static async start(): Promise<SentinelSetup> {
    const directory = mkdtempSync(join(tmpdir(), 'redis-sentinel-'));
    const primary = await RedisServer.start();
    const replica = await RedisServer.start({ replicaof: `127.0.0.1 ${primary.port}` });
    const isReplicated = (info: unknown) => String(info).includes('master_link_status:up');
    await eventually('the replica follows', () => replica.command('INFO', 'replication'), isReplicated);
    const sentinel = await atNumberedPort((port) => startSentinel(port, primary.port, directory));
    const setup = new SentinelSetup(primary, replica, sentinel, directory);
    const isKnown = (replicas: unknown) => String(replicas).includes('num-slaves,1');
    await eventually('the sentinel knows both', () => setup.ask('MASTER', 'mymaster'), isKnown);
    return setup;
  }

  get url(): string {
    return `redis+sentinel://:${REDIS_PASSWORD}@127.0.0.1:${this.sentinel.port}/mymaster/0?sentinel_password=${SENTINEL_PASSWORD}`;
  }

  /** The replica becomes the primary, and the primary its replica. */
  async failOver(): Promise<void> {
    await this.ask('FAILOVER', 'mymaster');
    // The sentinel closes the connections of the old primary.
    const roleOf = (server: RedisServer) => server.command('INFO', 'replication').catch(String);
    const isReplica = (info: unknown) => String(info).includes('role:slave');
    await eventually('the primary is a replica', () => roleOf(this.primary), isReplica);
  }

  async stop(): Promise<void> {
    await Promise.all([killed(this.sentinel.process), this.primary.stop(), this.replica.stop()]);
    rmSync(this.directory, { recursive: true, force: true });
  }

  private ask(...args: string[]): Promise<unknown> {
    return command({ port: this.sentinel.port, password: SENTINEL_PASSWORD }, 'SENTINEL', args);
  }
}

async function startSentinel(port: number, primaryPort: number, directory: string) {
  const file = join(directory, `sentinel-${port}.conf`);
  const lines = [
    `port ${port}`,
    'bind 127.0.0.1',
    `requirepass ${SENTINEL_PASSWORD}`,
    `sentinel monitor mymaster 127.0.0.1 ${primaryPort} 1`,
    `sentinel auth-pass mymaster ${REDIS_PASSWORD}`,
    'sentinel failover-timeout mymaster 10000',
  ];
  writeFileSync(file, `${lines.join('\n')}\n`);
  const child = spawn('redis-server', [file, '--sentinel'], { stdio: ['ignore', 'pipe', 'inherit'] });
  await new Output(child).match(/\+monitor master/);
  return { port, process: child };
}

async function command(
  to: { readonly port: number; readonly password: string },
  name: string,
  args: readonly (string | number)[],
): Promise<unknown> {
  const client = new Redis({ host: '127.0.0.1', ...to, lazyConnect: true, retryStrategy: () => null });
  // A failure to connect is the failure of the command.
  client.on('error', () => undefined);
  try {
    return await client.call(name, ...args);
  } finally {
    client.disconnect();
  }
}

async function killed(child: ChildProcess | undefined): Promise<void> {
  if (child?.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}
