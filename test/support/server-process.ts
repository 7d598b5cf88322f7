import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { built } from './built.js';
import { Output } from './output.js';

/** Lines in which the server reports its addresses, once it listens there. */
export const SERVED = /MCP is served at (\S+)\/mcp/;
export const MANAGEMENT_SERVED = /health is served at (\S+)\/readyz/;

/** The built HTTP server in a process of its own, and what it wrote to stderr. */
export interface ServerProcess {
  readonly url: string;
  /** Of the management port, where one is set. */
  readonly managementUrl: string | undefined;
  readonly child: ChildProcess;
  readonly stderr: () => string;
  /** Ends it as an operator would, and waits until it has ended. */
  readonly stop: () => Promise<number | null>;
}

/** The built server with these settings, at a port that the system assigns unless `at` is given. */
export async function startServerProcess(
  env: Record<string, string>,
  { at = 0, logLevel = 'info' } = {},
): Promise<ServerProcess> {
  const child = spawn(process.execPath, [built('dist/main.js'), 'http'], {
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
  return servedBy(child);
}

const running = new Set<ChildProcess>();
/** A test that fails half-way leaves its servers behind. */
afterAll(() => running.forEach((child) => child.kill('SIGKILL')));

/** Waits until this process serves MCP. Rejects, with what it has written, when it ends before. */
export async function servedBy(child: ChildProcess): Promise<ServerProcess> {
  running.add(child);
  child.once('exit', () => running.delete(child));
  const output = new Output(child);
  const [, url] = await output.match(SERVED);
  // The server reports its management port first.
  const managementUrl = MANAGEMENT_SERVED.exec(output.text)?.[1];
  return { url: url!, managementUrl, child, stderr: () => output.text, stop: () => stopped(child) };
}

/** Sends SIGTERM, and returns the exit code. */
export async function stopped(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const exited = once(child, 'exit') as Promise<[number | null]>;
  child.kill('SIGTERM');
  return (await exited)[0];
}
