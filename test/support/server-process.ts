import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const MAIN = join(__dirname, '..', '..', 'dist', 'main.js');

/** The built HTTP server in a process of its own, and what it wrote to stderr. */
export interface ServerProcess {
  readonly url: string;
  readonly child: ChildProcess;
  stderr(): string;
  /** Ends it as an operator would, and waits until it has ended. */
  stop(): Promise<number | null>;
}

/** The built server with these settings, at a free port unless `at` says which. */
export async function startServerProcess(
  env: Record<string, string>,
  { at = 0, logLevel = 'info' } = {},
): Promise<ServerProcess> {
  const child = spawn(process.execPath, [MAIN, 'http'], {
    env: {
      PATH: process.env.PATH,
      MCP_SHUTDOWN_DELAY_SECONDS: '0',
      ...env,
      MCP_HOST: '127.0.0.1',
      MCP_PORT: String(at),
      MCP_LOG_LEVEL: logLevel,
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let written = '';
  const url = await new Promise<string>((resolve, reject) => {
    child.once('exit', () => reject(new Error(`the server did not start: ${written}`)));
    child.stderr.on('data', (chunk: Buffer) => {
      written += chunk.toString();
      const found = /MCP is served at (\S+)\/mcp/.exec(written)?.[1];
      if (found) resolve(found);
    });
  });
  const stop = async () => {
    if (child.exitCode !== null) return child.exitCode;
    const exited = once(child, 'exit') as Promise<[number | null]>;
    child.kill('SIGTERM');
    return (await exited)[0];
  };
  return { url, child, stderr: () => written, stop };
}
