import { type ChildProcess } from 'node:child_process';
import { type Readable } from 'node:stream';

/** Most of what a failing process has written that is shown. */
const SHOWN_CHARS = 4000;

/** What a process writes to its pipes, as one text. */
export class Output {
  private written = '';
  private readonly listeners = new Set<() => void>();

  constructor(private readonly child: ChildProcess) {
    for (const stream of [child.stdout, child.stderr] as (Readable | null)[]) {
      stream?.on('data', (chunk: Buffer) => {
        this.written += chunk.toString();
        for (const listener of this.listeners) listener();
      });
    }
  }

  get text(): string {
    return this.written;
  }

  /**
   * Waits until the text matches, and returns the match. Rejects with the text when the process ends without, or at the
   * deadline (in ms).
   */
  match(pattern: RegExp, deadlineMs = 180_000): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const finish = (settle: () => void) => {
        clearTimeout(timer);
        this.listeners.delete(look);
        this.child.off('close', closed).off('error', reject);
        settle();
      };
      const fail = (what: string) =>
        finish(() => reject(new Error(`${what} before it wrote ${pattern}:\n${this.text.slice(-SHOWN_CHARS)}`)));
      const look = () => {
        const found = pattern.exec(this.text);
        if (found) finish(() => resolve(found));
      };
      const closed = (code: number | null, signal: string | null) => fail(`the process ended with ${code ?? signal}`);
      const timer = setTimeout(() => fail(`${deadlineMs} ms passed`), deadlineMs);
      this.listeners.add(look);
      this.child.once('close', closed).once('error', reject);
      look();
    });
  }
}
