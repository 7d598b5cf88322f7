import { type ChildProcess, fork, spawn, type StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { OUT } from './compile.js';

/** How one of the compared servers is started. */
export interface Program {
  readonly name: string;
  readonly script: string;
  readonly env: Readonly<Record<string, string>>;
  /** Options of node itself. */
  readonly nodeArgs?: readonly string[];
  /** Of every request to this server, over those of the exchange: a token that only this server takes, for instance. */
  readonly headers?: Readonly<Record<string, string>>;
  /** File its stderr is appended to; without one nobody keeps it. */
  readonly logFile?: string;
  argsFor(entry: 'stdio' | 'http', port: number): { args: readonly string[]; env: Readonly<Record<string, string>> };
}

/** What a process has used so far. */
export interface Usage {
  readonly cpuSeconds: number;
  readonly residentMb: number;
  readonly peakMb: number;
}

const TICKS_PER_SECOND = 100;

/** Starts a server as its operator would: production mode, its logs read by somebody who is not in the way. */
export function start(program: Program, entry: 'stdio' | 'http', port: number, stdio: StdioOptions): ChildProcess {
  const { args, env } = program.argsFor(entry, port);
  return spawn(process.execPath, [...(program.nodeArgs ?? []), program.script, ...args], {
    // Away from the repository, so that no .env file is read.
    cwd: OUT,
    env: { PATH: process.env.PATH, NODE_ENV: 'production', ...program.env, ...env },
    stdio,
  });
}

/** Starts a server over HTTP, with a channel for messages. */
export function startHttp(program: Program, port: number): ChildProcess {
  const log = program.logFile === undefined ? 'ignore' : openSync(program.logFile, 'a');
  try {
    return start(program, 'http', port, ['ignore', 'ignore', log, 'ipc']);
  } finally {
    // The child has a descriptor of its own.
    if (log !== 'ignore') closeSync(log);
  }
}

/** Starts a helper process and waits for the first message it sends. */
export async function forkUntilReady<T>(
  script: string,
  args: readonly string[] = [],
): Promise<{ child: ChildProcess; ready: T }> {
  const child = fork(script, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const ended = once(child, 'exit').then(() => Promise.reject(new Error(`${script} ended early`)));
  const [ready] = (await Promise.race([once(child, 'message'), ended])) as [T];
  ended.catch(() => undefined);
  return { child, ready };
}

export async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}

/** Undefined where there is no /proc. */
export function usageOf({ pid }: ChildProcess): Usage | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    // The second field is the command in parentheses and may hold spaces; user and system time are fields 14 and 15.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return {
      cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND,
      residentMb: megabytes(status, 'VmRSS'),
      peakMb: megabytes(status, 'VmHWM'),
    };
  } catch {
    return undefined;
  }
}

function megabytes(status: string, field: string): number {
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? Number.NaN) / 1024;
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
