import { Logger } from '@nestjs/common';
import { explain } from './limited-fetch.js';

/** How long a value counts as new, in milliseconds. A key that its provider took away is trusted no longer than this. */
const FRESH_MS = 10 * 60_000;
/** Between two attempts, so that tokens with made-up key ids cannot make us flood a provider. */
const COOL_DOWN_MS = 30_000;
/** The first pause while there is no value at all, when nobody gets in; it doubles up to the cool-down. */
const FIRST_PAUSE_MS = 1000;
/** How long the last good value is used while the provider does not answer. */
const KEEP_MS = 24 * 60 * 60_000;

/**
 * A value of a provider, fetched when it is needed: again when it is old or lacks what is looked for, but at most once
 * per cool-down, and the last good one stays in use while the provider is down. Until there is one, attempts begin close
 * together: a provider that comes up shortly after us must not keep everyone out for half a minute.
 */
export class Kept<T> {
  private readonly logger = new Logger('Auth');
  private value?: T;
  private fetchedAt = -Infinity;
  private nextAttemptAt = -Infinity;
  private failures = 0;
  private running?: Promise<void>;

  constructor(
    private readonly what: string,
    private readonly fetch: () => Promise<T>,
  ) {}

  /** Whether there ever was a value. */
  get known(): boolean {
    return this.value !== undefined;
  }

  /** The value without waiting; nothing when it is time to fetch it again. */
  get current(): T | undefined {
    return this.isOld() && this.mayTry() ? undefined : this.usable();
  }

  /** The value that has what is looked for, or the best there is. */
  async get(hasIt: (value: T) => boolean = () => true): Promise<T | undefined> {
    const known = this.usable();
    const wanting = known === undefined || this.isOld() || !hasIt(known);
    if (wanting && (this.running || this.mayTry())) await (this.running ??= this.refresh());
    return this.usable();
  }

  private async refresh(): Promise<void> {
    // Meanwhile others are served what there is.
    this.nextAttemptAt = Infinity;
    try {
      this.value = await this.fetch();
      this.fetchedAt = Date.now();
      this.failures = 0;
    } catch (error) {
      this.failures += 1;
      const kept = this.usable() === undefined ? '' : '; the last good ones stay in use';
      this.logger.warn(`cannot fetch ${this.what}: ${explain(error)}${kept}`);
    } finally {
      // Counted from the end: what needs another kept value then finds that one due as well.
      this.nextAttemptAt = Date.now() + this.pause();
      this.running = undefined;
    }
  }

  private pause(): number {
    if (this.known) return COOL_DOWN_MS;
    return Math.min(FIRST_PAUSE_MS * 2 ** Math.min(this.failures - 1, 10), COOL_DOWN_MS);
  }

  private usable(): T | undefined {
    return Date.now() - this.fetchedAt < KEEP_MS ? this.value : undefined;
  }

  private isOld(): boolean {
    return Date.now() - this.fetchedAt >= FRESH_MS;
  }

  private mayTry(): boolean {
    return Date.now() >= this.nextAttemptAt;
  }
}
