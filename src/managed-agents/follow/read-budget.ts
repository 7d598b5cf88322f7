import { LRUCache } from 'lru-cache';

const MINUTE_MS = 60_000;
/** How many callers are told apart, those that were served last. */
const MAX_CALLERS = 10_000;

/** A request that waits for its turn. */
interface Waiting {
  /** Those for whom the request is made, one at least. They can come and go while it waits. */
  readonly callers: Iterable<string>;
  readonly serve: () => void;
}

/** A part of the budget: requests are made for certain callers. */
export interface ReadShare {
  /** Resolves when a request may be made; early and without effect when `signal` aborts. */
  take(signal: AbortSignal): Promise<void>;
}

/**
 * Limits the requests that followers make. The API's read quota belongs to the whole organization; this token bucket of
 * one minute's requests keeps many waits from using it up. When it is empty, callers take turns: the next request is of the
 * caller that was served least recently, so that the many waits of one caller delay no other.
 */
export class ReadBudget implements ReadShare {
  private available: number;
  private refilledAt = performance.now();
  /** In the order of their arrival. */
  private readonly waiting = new Set<Waiting>();
  /** When each caller was last served, as a count of requests. */
  private readonly served = new LRUCache<string, number>({ max: MAX_CALLERS });
  private count = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly perMinute: number) {
    this.available = perMinute;
  }

  /** @param callers those for whom the request is made; the one that was served least recently pays for it */
  async take(signal: AbortSignal, callers: Iterable<string> = ['']): Promise<void> {
    if (signal.aborted) return;
    if (this.waiting.size === 0 && this.tryTake()) return this.charge(this.leastServed(callers)?.caller);
    await new Promise<void>((resolve) => {
      const leave = () => {
        signal.removeEventListener('abort', leave);
        this.waiting.delete(waiting);
        this.schedule();
        resolve();
      };
      const waiting = { callers, serve: leave };
      signal.addEventListener('abort', leave, { once: true });
      this.waiting.add(waiting);
      this.schedule();
    });
  }

  /** Requests for some callers that change, such as all who wait for one session. */
  share(callers: Iterable<string>): ReadShare {
    return { take: (signal) => this.take(signal, callers) };
  }

  private schedule(): void {
    if (this.waiting.size === 0) {
      clearTimeout(this.timer);
      this.timer = undefined;
      return;
    }
    const nextMs = ((1 - this.available) / this.perMinute) * MINUTE_MS;
    this.timer ??= setTimeout(() => this.serve(), Math.max(1, Math.ceil(nextMs)));
  }

  private serve(): void {
    this.timer = undefined;
    while (this.waiting.size > 0 && this.tryTake()) {
      const { waiting, payer } = this.next();
      this.charge(payer);
      waiting.serve();
    }
    this.schedule();
  }

  /** The request whose caller was served least recently, and that caller; the first to arrive of several. */
  private next(): { waiting: Waiting; payer?: string } {
    // A request of a follower without users has no caller.
    let found: { waiting: Waiting; payer?: string } = { waiting: [...this.waiting][0]! };
    let least = Infinity;
    for (const waiting of this.waiting) {
      const { caller, served } = this.leastServed(waiting.callers) ?? { served: Infinity };
      if (served < least) [found, least] = [{ waiting, payer: caller }, served];
    }
    return found;
  }

  private leastServed(callers: Iterable<string>): { caller?: string; served: number } | undefined {
    let found: { caller: string; served: number } | undefined;
    for (const caller of callers) {
      const served = this.served.peek(caller) ?? 0;
      if (!found || served < found.served) found = { caller, served };
    }
    return found;
  }

  private charge(caller: string | undefined): void {
    if (caller === undefined) return;
    this.count += 1;
    this.served.set(caller, this.count);
  }

  private tryTake(): boolean {
    const now = performance.now();
    const refill = ((now - this.refilledAt) / MINUTE_MS) * this.perMinute;
    this.available = Math.min(this.perMinute, this.available + refill);
    this.refilledAt = now;
    if (this.available < 1) return false;
    this.available -= 1;
    return true;
  }
}
