import { Logger } from '@nestjs/common';
import { errorChain } from './limited-fetch.js';

/** How long a value is used without fetching it again, in milliseconds. A key that its provider withdrew is trusted no longer. */
const FRESH_MS = 10 * 60_000;
/** Shortest time between two attempts, so that tokens with invented key ids cannot flood a provider, in milliseconds. */
const COOL_DOWN_MS = 30_000;
/** First pause while there is no value, during which no caller can sign in; it doubles up to the cool-down. In milliseconds. */
const FIRST_PAUSE_MS = 1000;
/** How long the last good value is used while the provider does not answer, in milliseconds. */
const KEEP_MS = 24 * 60 * 60_000;

/**
 * A document of a provider, fetched on demand: again when it is older than ten minutes or lacks the entry that is looked
 * for, but at most once per cool-down. The last good document stays in use while the provider is down. Until there is
 * one, attempts are close together: a provider that starts shortly after this server must not lock everyone out for half
 * a minute.
 *
 * Not `lru-cache` with `fetchMethod`: it shares a fetch under way and can serve a stale value when one fails, but it has
 * no pause between attempts, neither after a failure nor for a document without the entry looked for, and those pauses are
 * most of this class.
 */
export class ProviderCache<T> {
  private readonly logger = new Logger('Auth');
  private value?: T;
  private fetchedAt = -Infinity;
  private nextAttemptAt = -Infinity;
  private failures = 0;
  private running?: Promise<void>;

  /** @param name what is fetched, for the log */
  constructor(
    private readonly name: string,
    private readonly fetch: () => Promise<T>,
  ) {}

  /** Whether a fetch has succeeded since the process started. */
  get known(): boolean {
    return this.value !== undefined;
  }

  /** Seconds until the next attempt to fetch the value, at least one. */
  get retryAfterSeconds(): number {
    const seconds = Math.ceil((this.nextAttemptAt - Date.now()) / 1000);
    return Number.isFinite(seconds) ? Math.max(1, seconds) : 1;
  }

  /** The value without waiting; undefined when a fetch is due. */
  get current(): T | undefined {
    return this.isStale() && this.mayFetch() ? undefined : this.usable();
  }

  /** The value that satisfies the condition, or the last good one when a fetch brings none that does. */
  async get(satisfies: (value: T) => boolean = () => true): Promise<T | undefined> {
    const known = this.usable();
    const isDue = known === undefined || this.isStale() || !satisfies(known);
    if (isDue && (this.running || this.mayFetch())) await (this.running ??= this.refresh());
    return this.usable();
  }

  private async refresh(): Promise<void> {
    // Other callers use the present value until this fetch has ended.
    this.nextAttemptAt = Infinity;
    try {
      this.value = await this.fetch();
      this.fetchedAt = Date.now();
      this.failures = 0;
    } catch (error) {
      this.failures += 1;
      const fallback = this.usable() === undefined ? '' : '; the last good answer stays in use';
      this.logger.warn(`cannot fetch ${this.name}: ${errorChain(error)}${fallback}`);
    } finally {
      // Counted from the end: a cache that depends on this one then finds it due as well.
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

  private isStale(): boolean {
    return Date.now() - this.fetchedAt >= FRESH_MS;
  }

  private mayFetch(): boolean {
    return Date.now() >= this.nextAttemptAt;
  }
}
