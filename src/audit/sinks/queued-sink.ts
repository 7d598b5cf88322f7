import { Logger } from '@nestjs/common';
import { type AuditSink } from './audit-sink.js';

/** Delivers lines in order, all of them or none as far as it can tell. Rejects when they may not have arrived. */
export type Deliver = (lines: readonly string[]) => Promise<void>;

/** How it stands with a sink. */
export interface QueueState {
  readonly ready: boolean;
  readonly waiting: number;
  /** Since the process began. */
  readonly delivered: number;
  readonly lost: number;
}

/** Most lines of one delivery. */
const MAX_BATCH = 200;
/** What waits is bounded, in characters; what comes beyond is not kept. It still went to stderr. */
const MAX_WAITING_CHARS = 8_000_000;
/** Pauses between attempts that fail, in milliseconds. */
const FIRST_RETRY_MS = 500;
const MAX_RETRY_MS = 30_000;
/** How long the end of the server may be held up, in milliseconds. */
const CLOSE_MS = 5000;

/**
 * Keeps lines until they are delivered, in order and batch by batch. What fails is tried again with growing pauses, so a
 * line may arrive twice (its id tells), and none is lost while there is room.
 */
export class QueuedSink implements AuditSink {
  private readonly logger = new Logger('Audit');
  private readonly waiting: string[] = [];
  private waitingChars = 0;
  private lost = 0;
  private closing = false;
  private failures = 0;
  /** Since the process began; for metrics. */
  private readonly counts = { delivered: 0, lost: 0 };
  private work: Promise<void> | undefined;
  private wake: () => void = () => undefined;

  /** @param name how logs call this sink; never holds a secret */
  constructor(
    private readonly name: string,
    private readonly deliver: Deliver,
  ) {}

  get ready(): boolean {
    return this.failures === 0 && this.waitingChars < MAX_WAITING_CHARS;
  }

  get state(): QueueState {
    return { ready: this.ready, waiting: this.waiting.length, ...this.counts };
  }

  write(line: string): void {
    if (this.waitingChars + line.length > MAX_WAITING_CHARS) {
      this.counts.lost += 1;
      if (this.lost++ === 0) this.logger.error(`${this.name}: too many records wait; further ones go to stderr only`);
      return;
    }
    this.waiting.push(line);
    this.waitingChars += line.length;
    this.start();
  }

  /** Delivers what waits, if anything; a delivery of nothing finds out whether the sink is there. */
  start(): void {
    this.work ??= this.run().finally(() => (this.work = undefined));
  }

  async close(): Promise<void> {
    this.closing = true;
    this.wake();
    if (this.waiting.length > 0) this.start();
    let deadline: NodeJS.Timeout | undefined;
    const timeUp = new Promise<void>((resolve) => (deadline = setTimeout(resolve, CLOSE_MS)));
    await Promise.race([this.work, timeUp]);
    clearTimeout(deadline);
    const missing = this.waiting.length + this.lost;
    if (missing > 0) this.logger.error(`${this.name}: ${missing} records were not delivered; they are on stderr only`);
  }

  /** Until nothing waits and the last attempt went well; once the server closes, until an attempt begun then fails. */
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
        this.logger.error(`${this.name} does not take records: ${reason(error)}; trying again until it does`);
      }
      return false;
    }
  }

  private done(batch: readonly string[]): void {
    this.counts.delivered += batch.length;
    this.waiting.splice(0, batch.length);
    this.waitingChars -= batch.reduce((chars, line) => chars + line.length, 0);
    if (this.failures === 0) return;
    this.logger.warn(`${this.name} takes records again; ${this.lost} went to stderr only`);
    this.failures = 0;
    this.lost = 0;
  }

  /** Ended early when the server closes. */
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
