import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { randomBytes } from 'node:crypto';
import { stripVTControlCharacters } from 'node:util';
import { ServerLog, serverCommand, serverSettings } from './server-process.js';
import { Unexpected } from './unexpected.js';

const START_TIMEOUT_MS = 120_000;
const STOP_TIMEOUT_MS = 60_000;

/** `node dist/main.js http` on a port of its own choice, with a token nobody else knows. */
export class HttpServer {
  private constructor(
    private readonly child: ChildProcess,
    readonly log: ServerLog,
    readonly url: URL,
    readonly token: string,
  ) {}

  static async start(upstream: string, settings: Record<string, string>): Promise<HttpServer> {
    const token = randomBytes(24).toString('hex');
    const env = serverSettings(upstream, {
      MCP_HOST: '127.0.0.1',
      MCP_PORT: '0',
      // No load balancer stands before it.
      MCP_SHUTDOWN_DELAY_SECONDS: '0',
      MCP_AUTH_MODE: 'bearer',
      MCP_BEARER_TOKEN: token,
      ...settings,
    });
    const child = spawn(process.execPath, serverCommand('http'), { env, stdio: ['ignore', 'ignore', 'pipe'] });
    process.once('exit', () => child.kill());
    const log = new ServerLog(child.stderr);
    try {
      return new HttpServer(child, log, new URL(await announcedUrl(child, log)), token);
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    }
  }

  async stop(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const exited = once(this.child, 'exit', { signal: AbortSignal.timeout(STOP_TIMEOUT_MS) });
      this.child.kill('SIGTERM');
      await exited.catch(() => {
        this.child.kill('SIGKILL');
        throw new Unexpected('the HTTP server did not end after SIGTERM');
      });
    }
    await this.log.complete();
  }
}

/** The server says where it listens; with port 0 nobody else knows. */
function announcedUrl(child: ChildProcess, log: ServerLog): Promise<string> {
  return new Promise((resolve, reject) => {
    const fail = (what: string) => reject(new Unexpected(`the HTTP server ${what}: ${log.all.trim() || 'no output'}`));
    const timer = setTimeout(() => fail('did not say where it listens'), START_TIMEOUT_MS);
    child.once('error', reject);
    child.once('exit', (code) => {
      clearTimeout(timer);
      fail(`ended with exit code ${code}`);
    });
    child.stderr?.on('data', () => {
      const url = /MCP is served at (http\S+?\/mcp)/.exec(stripVTControlCharacters(log.all))?.[1];
      if (url === undefined) return;
      clearTimeout(timer);
      resolve(url);
    });
  });
}
