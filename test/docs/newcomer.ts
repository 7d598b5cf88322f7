import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Output } from '../support/output.js';
import { ROOT } from './documented-commands.js';

/** Most of what a failing command has written that is worth reading. */
const SHOWN_CHARS = 4000;

/** A server starts within this time, on a busy machine as well, in milliseconds. */
const STARTS_WITHIN_MS = 300_000;

/** What need not be done again for each page that begins with it. */
const ONCE: ReadonlySet<string> = new Set(['npm ci', 'npm run build']);

/** Someone with a fresh copy of the repository and a bare machine, who pastes one command after the other. */
export class Newcomer {
  private readonly directory = mkdtempSync(join(tmpdir(), 'newcomer-'));
  private server?: ChildProcess;
  private readonly done = new Set<string>();

  /** @param env all the environment there is, besides the way to the programs and the home directory */
  constructor(private readonly env: Readonly<Record<string, string>>) {
    const files = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: ROOT });
    for (const file of files.toString().split('\0').filter(Boolean)) {
      cpSync(join(ROOT, file), join(this.directory, file), { recursive: true });
    }
  }

  /** Runs a command to its end. Rejects, with what it wrote, when it fails. */
  async run(command: string): Promise<void> {
    const steps = command.split(' && ');
    const toDo = steps.filter((step) => !this.done.has(step));
    if (toDo.length === 0) return;
    const { child, output } = this.start(toDo.join(' && '));
    const [code] = (await once(child, 'close')) as [number | null];
    if (code !== 0) throw new Error(`${command}\nended with ${code}:\n${output.text.slice(-SHOWN_CHARS)}`);
    for (const step of steps) if (ONCE.has(step)) this.done.add(step);
  }

  /**
   * Starts a server and returns the address it reports: the first group of `address`. It goes on beside the next
   * commands, until another server is started.
   */
  async serve(command: string, address: RegExp): Promise<string> {
    await this.stopServing();
    const { child, output } = this.start(command);
    this.server = child;
    return (await output.match(address, STARTS_WITHIN_MS))[1]!;
  }

  async leave(): Promise<void> {
    await this.stopServing();
    rmSync(this.directory, { recursive: true, force: true });
  }

  private start(command: string): { child: ChildProcess; output: Output } {
    const { PATH, HOME } = process.env;
    const child = spawn('bash', ['-euo', 'pipefail', '-c', command], {
      cwd: this.directory,
      // What is installed for the whole machine goes into the folder as well.
      env: { PATH, HOME, npm_config_prefix: join(this.directory, 'global'), ...this.env },
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own, so that what npm has started ends with it.
      detached: true,
    });
    return { child, output: new Output(child) };
  }

  private async stopServing(): Promise<void> {
    const child = this.server;
    this.server = undefined;
    if (child?.pid === undefined || child.exitCode !== null) return;
    const closed = once(child, 'close');
    process.kill(-child.pid, 'SIGTERM');
    await closed;
  }
}
