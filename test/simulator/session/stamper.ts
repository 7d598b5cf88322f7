import type { Micros, SimulatorClock } from '../clock.js';
import type { Pollution } from '../options.js';

const BURST: Micros = 1000;
const MAY_BE_LATE = new Set([
  'agent.tool_result',
  'agent.message',
  'user.message',
  'user.tool_confirmation',
  'user.custom_tool_result',
]);

/** Gives the events of a session their times: events of one burst follow each other by a microsecond. */
export class Stamper {
  private last: Micros = 0;

  constructor(
    private readonly clock: SimulatorClock,
    private readonly pollution: Pollution,
  ) {}

  /** The next stamp comes so much later. */
  skip(ms: number): void {
    this.last = Math.max(this.clock.now(), this.last) + Math.round(ms * 1000) - 1;
  }

  /** A time before the newest stamp. */
  before(ms: number): Micros {
    return this.last - Math.round(ms * 1000);
  }

  next(type: string): Micros {
    const now = this.clock.now();
    if (this.pollution.ties && now - this.last < BURST) return this.last;
    this.last = Math.max(now, this.last + 1);
    const late = MAY_BE_LATE.has(type) ? (this.pollution.lateStamps ?? 0) : 0;
    return this.last - late * 1000;
  }
}
