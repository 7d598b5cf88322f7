import { Inject, Injectable, Logger } from '@nestjs/common';
import { within } from '../common/time-out.js';

/**
 * A condition without which this replica should get no requests. Anyone who reaches the port can trigger the checks,
 * though never more often than {@link Readiness} allows; they read the state of the server and change nothing.
 */
export abstract class ReadinessCheck {
  /** Name in the answer. */
  abstract readonly name: string;

  /** False when the settings do not use what it checks; the check is then left out. */
  abstract readonly applies: boolean;

  abstract isReady(): boolean | Promise<boolean>;
}

/** All of them, for injection. */
export const READINESS_CHECKS = Symbol('readiness checks');

export interface ReadinessReport {
  readonly ready: boolean;
  /** By name. */
  readonly checks: Readonly<Record<string, 'ok' | 'failing'>>;
}

/** How long an answer is reused, in milliseconds. Probes come every few seconds; anyone may send many more. */
const REUSE_MS = 1000;
/** A check that has not answered by then counts as failing, in milliseconds. Kubernetes waits one second. */
const TIMEOUT_MS = 800;

/**
 * Whether this replica should get requests. Logs every change and its cause.
 *
 * Not `@nestjs/terminus` (12.1.0, for Nest 11 and 12): it adds 35 KB to the bundle and 26 ms to every start, has neither
 * the shared answers nor the time limit of {@link SharedAnswer}, logs an error for each failing probe, and its answer has
 * another form than the one that probes, `doctor` and the documentation rely on. It would replace only {@link report}.
 */
@Injectable()
export class Readiness {
  private readonly logger = new Logger('Health');
  private readonly checks: readonly { readonly name: string; readonly answer: SharedAnswer }[];
  private failing = '';

  constructor(@Inject(READINESS_CHECKS) checks: readonly ReadinessCheck[]) {
    this.checks = checks
      .filter(({ applies }) => applies)
      .map((check) => ({ name: check.name, answer: new SharedAnswer(() => check.isReady()) }));
  }

  async report(): Promise<ReadinessReport> {
    const states = await Promise.all(
      this.checks.map(async ({ name, answer }) => [name, (await answer.get()) ? 'ok' : 'failing'] as const),
    );
    const failing = states.filter(([, state]) => state === 'failing').map(([name]) => name);
    this.logChange(failing.join(', '));
    return { ready: failing.length === 0, checks: Object.fromEntries(states) };
  }

  private logChange(failing: string): void {
    if (failing === this.failing) return;
    this.failing = failing;
    if (failing === '') this.logger.log('ready');
    else this.logger.warn(`not ready: ${failing}`);
  }
}

/**
 * The answer of a check that may use the network, shared by all probes: however many come, the check runs at most once
 * per second, and no probe waits long. A synchronous answer is always new.
 */
class SharedAnswer {
  private answer?: Promise<boolean>;
  private askedAt = -Infinity;

  constructor(private readonly check: () => boolean | Promise<boolean>) {}

  get(): boolean | Promise<boolean> {
    if (this.answer && performance.now() - this.askedAt < REUSE_MS) return this.answer;
    const answer = this.check();
    if (typeof answer === 'boolean') return answer;
    this.askedAt = performance.now();
    // A check that throws fails; the module that owns the connection logs the cause.
    const answered = answer.catch(() => false);
    return (this.answer = within(TIMEOUT_MS, answered, false));
  }
}
