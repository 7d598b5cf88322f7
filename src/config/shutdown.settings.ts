import { type Problem, type Section } from './read-settings.js';
import { Setting } from './setting.decorator.js';

/** Share of the grace that is reserved for the steps after the calls, and its upper bound in milliseconds. */
const CLOSING_SHARE = 0.3;
const MAX_CLOSING_MS = 7000;
/** Shares of that for the last answers, then audit records, then traces and metrics; the rest is for the process to exit. */
const ANSWERS_SHARE = 0.15;
const RECORDS_SHARE = 0.55;
const TELEMETRY_SHARE = 0.2;
/** Share of the grace during which requests are still answered, unless MCP_SHUTDOWN_DELAY_SECONDS is set. */
const DELAY_SHARE = 0.2;
/** A longer delay would leave no time for running calls to finish. */
const MAX_DELAY_SHARE = 0.5;

/** Shutdown of the server. All times are shares of one: platforms kill a process when its grace is over. */
export class ShutdownSettings implements Section {
  static readonly title = 'Shutdown';

  @Setting({
    env: 'MCP_SHUTDOWN_GRACE_SECONDS',
    kind: { type: 'integer', min: 1, max: 3600 },
    default: 25,
    summary:
      'Longest time from SIGTERM until the process has exited. Set it a few seconds below the time after which the platform kills the process (`terminationGracePeriodSeconds` in Kubernetes, `stop_grace_period` in compose).',
  })
  readonly graceSeconds!: number;

  @Setting({
    env: 'MCP_SHUTDOWN_DELAY_SECONDS',
    kind: { type: 'integer', min: 0, max: 1800 },
    defaultText: 'a fifth of `MCP_SHUTDOWN_GRACE_SECONDS`',
    example: '5',
    summary:
      'HTTP only: how long after SIGTERM requests are still answered while `/readyz` answers 503, so that load balancers stop sending requests before they are refused. At most half of the grace; SIGINT (Ctrl-C) skips it.',
  })
  readonly delaySeconds?: number;

  get graceMs(): number {
    return this.graceSeconds * 1000;
  }

  get delayMs(): number {
    return this.delaySeconds === undefined ? this.graceMs * DELAY_SHARE : this.delaySeconds * 1000;
  }

  /** When running calls are aborted, in milliseconds from the signal. */
  get callsEndMs(): number {
    return this.graceMs - this.closingMs;
  }

  /** Time for the last answers to be sent, in milliseconds. */
  get answersMs(): number {
    return this.closingMs * ANSWERS_SHARE;
  }

  /** Time for audit records to be delivered, in milliseconds. */
  get recordsMs(): number {
    return this.closingMs * RECORDS_SHARE;
  }

  /** Time for the last traces and metrics to be delivered, in milliseconds. */
  get telemetryMs(): number {
    return this.closingMs * TELEMETRY_SHARE;
  }

  check(): Problem[] {
    if (this.delayMs <= this.graceMs * MAX_DELAY_SHARE) return [];
    const most = Math.floor(this.graceSeconds * MAX_DELAY_SHARE);
    const message = `must be at most half of MCP_SHUTDOWN_GRACE_SECONDS (${this.graceSeconds}), so that running calls can finish: ${most} or less, or a longer grace`;
    return [{ env: 'MCP_SHUTDOWN_DELAY_SECONDS', message }];
  }

  private get closingMs(): number {
    return Math.min(this.graceMs * CLOSING_SHARE, MAX_CLOSING_MS);
  }
}
