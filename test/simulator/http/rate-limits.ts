import { formatTime, type SimulatorClock } from '../clock.js';

const PER_MINUTE = { create: 300, read: 1200 } as const;
const MINUTE = 60_000_000;

/** Counts as the API does and reports it in headers; it refuses nobody, faults do that. */
export class RateLimits {
  private minute = 0;
  private used = { create: 0, read: 0 };

  constructor(private readonly clock: SimulatorClock) {}

  headers(bucket: keyof typeof PER_MINUTE | undefined): Record<string, string> {
    if (!bucket) return {};
    const minute = Math.floor(this.clock.now() / MINUTE);
    if (minute !== this.minute) this.used = { create: 0, read: 0 };
    this.minute = minute;
    this.used[bucket] += 1;
    const limit = PER_MINUTE[bucket];
    return {
      'anthropic-ratelimit-requests-limit': String(limit),
      'anthropic-ratelimit-requests-remaining': String(Math.max(0, limit - this.used[bucket])),
      'anthropic-ratelimit-requests-reset': formatTime((minute + 1) * MINUTE),
    };
  }
}
