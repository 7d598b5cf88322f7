import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { Output } from './output.js';
import { atNumberedPort } from './ports.js';

export const redisFound = spawnSync('redis-server', ['--version']).status === 0;
export const REDIS_SKIPPED = 'redis-server is not installed on this machine';
/** Planted to be searched for: it may show nowhere. */
export const REDIS_PASSWORD = 'redis-password-canary';

/** A Redis of one's own, in memory only, that can be stopped and started again at the same address. */
export class RedisServer {
  private process?: ChildProcess;

  private constructor(private readonly port: number) {}

  static start(): Promise<RedisServer> {
    return atNumberedPort(async (port) => {
      const server = new RedisServer(port);
      await server.start();
      return server;
    });
  }

  get url(): string {
    return `redis://:${REDIS_PASSWORD}@127.0.0.1:${this.port}/0`;
  }

  async start(): Promise<void> {
    const options = { port: this.port, bind: '127.0.0.1', requirepass: REDIS_PASSWORD, save: '', appendonly: 'no' };
    const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
    this.process = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'inherit'] });
    await new Output(this.process).match(/Ready to accept connections/);
  }

  /** It keeps its connections, and answers nothing any more. */
  freeze(): void {
    this.process?.kill('SIGSTOP');
  }

  async stop(): Promise<void> {
    const child = this.process;
    this.process = undefined;
    if (!child) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }
}
