import { Inject, Injectable, Logger } from '@nestjs/common';
import { KeptAnswer } from './kept-answer.js';
import { READINESS_CHECKS, type ReadinessCheck } from './readiness-check.js';

export interface ReadinessReport {
  readonly ready: boolean;
  /** By name. */
  readonly checks: Readonly<Record<string, 'ok' | 'failing'>>;
}

/** Whether this replica should get requests. Says in the log when that changes, and why. */
@Injectable()
export class Readiness {
  private readonly logger = new Logger('Health');
  private readonly checks: readonly { readonly name: string; readonly answer: KeptAnswer }[];
  private failing = '';

  constructor(@Inject(READINESS_CHECKS) checks: readonly ReadinessCheck[]) {
    this.checks = checks
      .filter(({ applies }) => applies)
      .map((check) => ({ name: check.name, answer: new KeptAnswer(() => check.isReady()) }));
  }

  async report(): Promise<ReadinessReport> {
    const states = await Promise.all(
      this.checks.map(async ({ name, answer }) => [name, (await answer.get()) ? 'ok' : 'failing'] as const),
    );
    const failing = states.filter(([, state]) => state === 'failing').map(([name]) => name);
    this.tell(failing.join(', '));
    return { ready: failing.length === 0, checks: Object.fromEntries(states) };
  }

  private tell(failing: string): void {
    if (failing === this.failing) return;
    this.failing = failing;
    if (failing === '') this.logger.log('ready');
    else this.logger.warn(`not ready: ${failing}`);
  }
}
