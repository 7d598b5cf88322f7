import { Injectable, Logger } from '@nestjs/common';
import { LimitsSettings } from '../../config/limits.settings.js';
import { type Tier } from '../../config/tiers.js';
import { type Refusal } from '../policy.js';

/** While the store is away, one line in this time says so, in milliseconds. */
const LOG_INTERVAL_MS = 60_000;

/** The limits that count in the store. */
export type Limit = 'calls' | 'starts' | 'running_sessions';
export const LIMIT_DECISIONS = ['allowed', 'refused', 'unchecked', 'unavailable'] as const;
export type LimitDecision = (typeof LIMIT_DECISIONS)[number];

/** What is done, told and counted when the store behind the limits does not answer. */
@Injectable()
export class StoreHealth {
  /** What each limit decided since the process began; for metrics. */
  readonly decisions = new Map<Limit, Record<LimitDecision, number>>();
  private readonly logger = new Logger('Limits');
  private away = false;
  private unsaid = 0;
  private saidAt = -Infinity;

  constructor(private readonly settings: LimitsSettings) {}

  /** Asks the store on behalf of a call. Where it fails, the refusal, or undefined for the call to go on uncounted. */
  async ask<T>(limit: Limit, tier: Tier, question: () => Promise<T>): Promise<{ answer: T } | { refusal?: Refusal }> {
    try {
      const answer = await question();
      this.back();
      return { answer };
    } catch (error) {
      const decision = this.settings.onStoreFailure ?? (tier === 'start' ? 'closed' : 'open');
      this.decided(limit, decision === 'open' ? 'unchecked' : 'unavailable');
      this.say(error);
      return decision === 'open' ? {} : { refusal: CANNOT_CHECK };
    }
  }

  /** Whether the store answered, or could be reached, when that was last known. */
  get up(): boolean {
    return !this.away;
  }

  decided(limit: Limit, decision: LimitDecision): void {
    const counts = this.decisions.get(limit) ?? { allowed: 0, refused: 0, unchecked: 0, unavailable: 0 };
    counts[decision] += 1;
    this.decisions.set(limit, counts);
  }

  /** The same, for a limit that could be checked; hands on what it said. */
  judged(limit: Limit, refusal: Refusal | undefined): Refusal | undefined {
    this.decided(limit, refusal ? 'refused' : 'allowed');
    return refusal;
  }

  /** Tells the store what became of a call. When that fails the count is off by one until its time is over. */
  async tell(news: () => Promise<unknown>): Promise<void> {
    try {
      await news();
      this.back();
    } catch (error) {
      this.say(error);
    }
  }

  /** The store went away, or could not be reached. */
  say(error: unknown): void {
    this.away = true;
    this.unsaid += 1;
    const now = performance.now();
    if (now - this.saidAt < LOG_INTERVAL_MS) return;
    this.logger.error(
      `the store of the limits does not answer (${reason(error)}), ${this.unsaid} times since the last such line; ${this.consequence()}`,
    );
    this.saidAt = now;
    this.unsaid = 0;
  }

  /** The store answers, or can be reached again. */
  back(): void {
    if (!this.away) return;
    this.logger.warn(`the store of the limits answers again; ${this.unsaid} failures were not logged`);
    this.away = false;
    this.saidAt = -Infinity;
    this.unsaid = 0;
  }

  private consequence(): string {
    const { onStoreFailure } = this.settings;
    if (onStoreFailure === undefined) return 'starts are refused, other calls pass uncounted';
    return onStoreFailure === 'open' ? 'calls pass uncounted' : 'calls are refused';
  }
}

const CANNOT_CHECK: Refusal = {
  rule: 'limit_store',
  message:
    'The limits of this server cannot be checked at the moment, so nothing was done. Try again in 30 seconds; if it persists, tell the operator. Sessions that run go on meanwhile.',
};

/** What failed, in few words. Replies of Redis begin with the name of the error and go on to quote what was sent. */
function reason(error: unknown): string {
  const { name, message, code } = error as NodeJS.ErrnoException;
  if (name === 'ReplyError') return message.split(' ', 1).join();
  return code ?? message;
}
