import type { Micros, SimulatorClock } from '../clock.js';
import type { SessionStatus, WireUsage } from '../wire.js';
import type { Meter } from './usage.js';

/** A session's status as the log tells it, and as `GET session` tells it a little later. */
export class Status {
  lagMs = 0;
  updatedAt: Micros;
  /** The newest status event's status; undefined before the first one, even when the session was created running. */
  announced?: SessionStatus;
  private readonly history: { at: Micros; status: SessionStatus }[];
  private usage?: WireUsage;

  constructor(
    private readonly clock: SimulatorClock,
    initial: SessionStatus,
  ) {
    this.updatedAt = clock.now();
    // Whatever it lags, a session has always had its first status.
    this.history = [{ at: 0, status: initial }];
  }

  /** The truth, without lag. */
  get actual(): SessionStatus {
    return this.history.at(-1)!.status;
  }

  get visible(): SessionStatus {
    const horizon = this.clock.now() - this.lagMs * 1000;
    return (this.history.findLast(({ at }) => at <= horizon) ?? this.history[0]!).status;
  }

  announce(status: SessionStatus): void {
    this.announced = status;
    this.set(status);
  }

  set(status: SessionStatus): void {
    this.updatedAt = this.clock.now();
    if (status !== this.actual) this.history.push({ at: this.updatedAt, status });
  }

  settleUsage(meter: Meter): void {
    this.usage = meter.report(this.clock.now());
  }

  /** Tokens and cost stand still during a turn and jump at its end; the running time moves all the while. */
  visibleUsage(meter: Meter): WireUsage {
    const now = this.clock.now();
    const settled = this.usage ?? { ...meter.report(now), input_tokens: 0, output_tokens: 0, cache_creation: null };
    if (!this.usage) settled.list_cost = { amount: '0', currency: 'USD' };
    return { ...settled, active_seconds: meter.activeSeconds(now) };
  }
}
