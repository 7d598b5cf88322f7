import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { built } from '../support/built.js';

const SCRIPT = join(__dirname, 'function-runtime.cjs');

export interface FunctionAnswer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly isBase64Encoded: boolean;
}

type Reply =
  | { readonly id: number; readonly answer: FunctionAnswer }
  | { readonly id: number; readonly error: { readonly name: string; readonly message: string } };

/** dist/lambda.js in a process of its own, invoked as Lambda's runtime invokes it: one event after the other. */
export class FunctionProcess {
  private readonly child: ChildProcess;
  private readonly folder = mkdtempSync(join(tmpdir(), 'function-'));
  private count = 0;
  private written = '';

  constructor(env: Readonly<Record<string, string>>) {
    this.child = fork(SCRIPT, [built('dist/lambda.js')], {
      // Nothing but the settings, and no node_modules in reach.
      cwd: this.folder,
      env: { PATH: process.env.PATH, ...env },
      execArgv: [],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.child.stderr?.on('data', (chunk: Buffer) => (this.written += chunk.toString()));
  }

  get stderr(): string {
    return this.written;
  }

  /** The exit code, once it has ended. */
  async ended(): Promise<number | null> {
    if (this.child.exitCode === null) await once(this.child, 'close');
    return this.child.exitCode;
  }

  /** @throws what the handler throws, which a function URL answers with 502 */
  async invoke(event: object, remainingMs = 60_000): Promise<FunctionAnswer> {
    const id = ++this.count;
    const replied = new Promise<Reply>((resolve, reject) => {
      this.child.once('exit', (code) => reject(new Error(`the function ended with ${code}: ${this.written}`)));
      this.child.on('message', (message: Reply) => {
        if (message.id === id) resolve(message);
      });
    });
    this.child.send({ id, event, remainingMs });
    const reply = await replied;
    if ('answer' in reply) return reply.answer;
    throw Object.assign(new Error(reply.error.message), { name: reply.error.name });
  }

  /** As Lambda does after an answer. */
  freeze(): void {
    this.child.kill('SIGSTOP');
  }

  thaw(): void {
    this.child.kill('SIGCONT');
  }

  async stop(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const exit = once(this.child, 'exit');
      this.child.kill('SIGKILL');
      await exit;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}
