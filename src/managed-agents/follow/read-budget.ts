import { pause } from '../timing.js';

const MINUTE_MS = 60_000;

/**
 * Limits the requests that followers make. The API's read quota belongs to the whole organization; this token bucket of
 * one minute's requests keeps many waits from using it up.
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
      // Spread out, so that callers do not all try again at the same moment.
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
