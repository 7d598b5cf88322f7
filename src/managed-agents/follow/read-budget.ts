import { pause } from './pause.js';

const MINUTE_MS = 60_000;

/**
 * How many requests following sessions may make. The API's read quota belongs to the whole organization, so this is
 * what keeps many watchers from using it up: a bucket of one minute's requests, refilled evenly.
 */
export class ReadBudget {
  private available: number;
  private refilledAt = performance.now();

  constructor(private readonly perMinute: number) {
    this.available = perMinute;
  }

  /** Resolves when a request may be made; early and without effect when `signal` aborts. */
  async take(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && !this.tryTake()) {
      const nextMs = ((1 - this.available) / this.perMinute) * MINUTE_MS;
      // Spread out, or all who wait would try again at the same moment.
      await pause(Math.ceil(nextMs * (1 + Math.random())), signal);
    }
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
