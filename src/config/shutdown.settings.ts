import { type Problem, type Section } from './read-settings.js';
import { Setting } from './setting.decorator.js';

/** Part of the grace that is kept for what comes after the calls, and the most of it that is of use, in milliseconds. */
const CLOSING_SHARE = 0.3;
const MAX_CLOSING_MS = 7000;
/** Of that, what the last answers have to arrive, then audit records, then traces and metrics; the rest is the process's own. */
const ANSWERS_SHARE = 0.15;
const RECORDS_SHARE = 0.55;
const TELEMETRY_SHARE = 0.2;
/** Part of the grace for which requests are still answered, unless a setting says otherwise. */
const DELAY_SHARE = 0.2;
/** More would leave nothing for the calls that are under way then. */
const MAX_DELAY_SHARE = 0.5;

/** How the server ends. All times are parts of one: platforms kill a process when theirs is over. */
export class ShutdownSettings implements Section {
  static readonly title = 'The end of the server';

  @Setting({
    env: 'MCP_SHUTDOWN_GRACE_SECONDS',
    kind: { type: 'integer', min: 1, max: 3600 },
    default: 25,
    summary:
      'Time from SIGTERM until the process has ended, at most. Set it a few seconds below what the platform waits before it kills (`terminationGracePeriodSeconds` in Kubernetes, `stop_grace_period` in compose).',
  })
  readonly graceSeconds!: number;

  @Setting({
    env: 'MCP_SHUTDOWN_DELAY_SECONDS',
    kind: { type: 'integer', min: 0, max: 1800 },
    defaultText: 'a fifth of `MCP_SHUTDOWN_GRACE_SECONDS`',
    example: '5',
    summary:
      'HTTP only: how long after SIGTERM requests are still answered while `/readyz` says no, so that load balancers have stopped sending them before they are refused. At most half of the grace; SIGINT (Ctrl-C) skips it.',
  })
  readonly delaySeconds?: number;

  get graceMs(): number {
    return this.graceSeconds * 1000;
  }

  get delayMs(): number {
    return this.delaySeconds === undefined ? this.graceMs * DELAY_SHARE : this.delaySeconds * 1000;
  }

  /** When calls that still run are given up, counted from the signal. */
  get callsEndMs(): number {
    return this.graceMs - this.closingMs;
  }

  /** How long the last answers may take to arrive. */
  get answersMs(): number {
    return this.closingMs * ANSWERS_SHARE;
  }

  /** How long audit records may take to be delivered. */
  get recordsMs(): number {
    return this.closingMs * RECORDS_SHARE;
  }

  /** How long the last traces and metrics may take to be delivered. */
  get telemetryMs(): number {
    return this.closingMs * TELEMETRY_SHARE;
  }

  check(): Problem[] {
    if (this.delayMs <= this.graceMs * MAX_DELAY_SHARE) return [];
    const most = Math.floor(this.graceSeconds * MAX_DELAY_SHARE);
    const message = `must be at most half of MCP_SHUTDOWN_GRACE_SECONDS (${this.graceSeconds}), so that calls under way can finish: ${most} or less, or a longer grace`;
    return [{ env: 'MCP_SHUTDOWN_DELAY_SECONDS', message }];
  }

  private get closingMs(): number {
    return Math.min(this.graceMs * CLOSING_SHARE, MAX_CLOSING_MS);
  }
}
