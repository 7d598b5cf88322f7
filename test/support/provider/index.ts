import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export interface ProviderOptions {
  readonly profile?: 'standard' | 'entra' | 'cognito';
  /** The audience of every access token. */
  readonly resource: string;
  readonly clients?: readonly object[];
  /** Whether the first access token has expired by the time it is issued. */
  readonly firstTokenExpired?: boolean;
  /** Whether callbacks name the issuer (RFC 9207) in every profile. */
  readonly keepIss?: boolean;
}

export interface RunningProvider {
  readonly issuer: string;
  close(): Promise<void>;
}

const running = new Set<ChildProcess>();
/** A test that fails half-way leaves its provider behind. */
afterAll(() => running.forEach((child) => child.kill()));

/** Starts `main.mjs` and waits until it listens. */
export async function startProvider(options: ProviderOptions): Promise<RunningProvider> {
  const child = spawn(process.execPath, [join(__dirname, 'main.mjs'), JSON.stringify(options)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { PATH: process.env.PATH, NODE_ENV: 'test', NODE_NO_WARNINGS: '1' },
  });
  running.add(child);
  const lines = createInterface({ input: child.stdout });
  for await (const line of lines) {
    if (!line.startsWith('{"issuer"')) continue;
    const { issuer } = JSON.parse(line) as { issuer: string };
    return { issuer, close: () => end(child) };
  }
  throw new Error('the provider ended before it listened');
}

async function end(child: ChildProcess): Promise<void> {
  running.delete(child);
  if (child.exitCode !== null) return;
  const ended = once(child, 'exit');
  child.kill();
  await ended;
}
