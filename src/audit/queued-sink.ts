import { Logger } from '@nestjs/common';
import { within } from '../common/time-out.js';

/** Delivers lines in order. Rejects when some may not have arrived; then all of them are delivered again. */
export type Deliver = (lines: readonly string[]) => Promise<void>;

/** The state of a sink. */
export interface QueueState {
  readonly ready: boolean;
  /** Records that are not delivered yet. */
  readonly waiting: number;
  /** Records since the process started. */
  readonly delivered: number;
  /** Records since the process started that were dropped because too many were waiting. */
  readonly lost: number;
}

/** Most lines of one delivery. */
const MAX_BATCH = 200;
/** Most characters that wait for delivery. Further records are dropped; they are still on stderr. */
const MAX_WAITING_CHARS = 8_000_000;
/** Pauses between failed attempts, in milliseconds. */
const FIRST_RETRY_MS = 500;
const MAX_RETRY_MS = 30_000;

/**
 * Keeps lines until they are delivered, in order and in batches. A failed batch is sent again after a growing pause, so a
 * line may arrive twice (its id identifies it). Lines are dropped only when too many are waiting.
 */
export class QueuedSink {
  private readonly logger = new Logger('Audit');
  private readonly waiting: string[] = [];
  private waitingChars = 0;
  /** Records dropped since the last successful delivery; for the log. */
  private droppedInOutage = 0;
  private closing = false;
  /** Failed attempts since the last successful one. */
  private failures = 0;
  /** Since the process started; for metrics. */
  private readonly totals = { delivered: 0, lost: 0 };
  private work: Promise<void> | undefined;
  private wake: () => void = () => undefined;
  /** Called when the next attempt has failed, or nothing is waiting any more. */
  private readonly onAttempt = new Set<() => void>();

  /** @param name of this sink in the log; never contains a secret */
  constructor(
    private readonly name: string,
    private readonly deliver: Deliver,
  ) {}

  /** False while lines are known not to arrive. */
  get ready(): boolean {
    return this.failures === 0 && this.waitingChars < MAX_WAITING_CHARS;
  }

  get state(): QueueState {
    return { ready: this.ready, waiting: this.waiting.length, ...this.totals };
  }

  /** Returns whether the line was taken. Never waits and never throws. */
  write(line: string): boolean {
    if (this.waitingChars + line.length > MAX_WAITING_CHARS) {
      this.totals.lost += 1;
      this.droppedInOutage += 1;
      if (this.droppedInOutage === 1) {
        this.logger.error(`${this.name}: too many records are waiting; new records go to stderr only`);
      }
      return false;
    }
    this.waiting.push(line);
    this.waitingChars += line.length;
    this.start();
    return true;
  }

  /** Delivers what is waiting. If nothing is, an empty delivery finds out whether the sink is available. */
  start(): void {
    this.work ??= this.run().finally(() => {
      this.work = undefined;
      this.attemptEnded();
    });
  }

  /** Tries to deliver what is waiting, once if that fails, within `ms` milliseconds. The rest keeps waiting. */
  async flush(ms: number): Promise<void> {
    if (!this.work) return;
    const attempted = new Promise<void>((resolve) => this.onAttempt.add(resolve));
    // A failed batch is tried again now, not after its pause.
    this.wake();
    await within(ms, attempted);
  }

  /** Tries once more to deliver what is left, within `withinMs` milliseconds. Returns the lines that were not delivered. */
  async close(withinMs: number): Promise<readonly string[]> {
    this.closing = true;
    this.wake();
    if (this.waiting.length > 0) this.start();
    await within(withinMs, this.work);
    const missing = this.waiting.length + this.droppedInOutage;
    if (missing > 0) this.logger.error(`${this.name}: ${missing} records were not delivered; they are on stderr only`);
    return [...this.waiting];
  }

  /** Runs until nothing is waiting and the last attempt succeeded; after {@link close}, until one further attempt fails. */
  private async run(): Promise<void> {
    do {
      const isLast = this.closing;
      const batch = this.waiting.slice(0, MAX_BATCH);
      if (await this.delivered(batch)) this.done(batch);
      else if (isLast) return;
      else await this.pause();
    } while (this.waiting.length > 0 || this.failures > 0);
  }

  private async delivered(batch: readonly string[]): Promise<boolean> {
    try {
      await this.deliver(batch);
      return true;
    } catch (error) {
      if (this.failures++ === 0) {
        this.logger.error(`${this.name}: records cannot be delivered: ${reason(error)}; retrying until they are`);
      }
      this.attemptEnded();
      return false;
    }
  }

  private done(batch: readonly string[]): void {
    this.totals.delivered += batch.length;
    this.waiting.splice(0, batch.length);
    this.waitingChars -= batch.reduce((chars, line) => chars + line.length, 0);
    if (this.failures === 0) return;
    this.logger.warn(`${this.name}: records are delivered again; ${this.droppedInOutage} went to stderr only`);
    this.failures = 0;
    this.droppedInOutage = 0;
  }

  private attemptEnded(): void {
    for (const listener of this.onAttempt) listener();
    this.onAttempt.clear();
  }

  /** Ended early by {@link flush} and {@link close}. */
  private pause(): Promise<void> {
    if (this.closing) return Promise.resolve();
    const ms = Math.min(FIRST_RETRY_MS * 2 ** Math.min(this.failures - 1, 10), MAX_RETRY_MS);
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      timer.unref();
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

function reason(error: unknown): string {
  const { cause, code, message } = error as NodeJS.ErrnoException;
  return code ?? (cause as NodeJS.ErrnoException | undefined)?.code ?? message;
}
