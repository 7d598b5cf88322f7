import { type Anthropic } from '@anthropic-ai/sdk';
import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { type Situation } from './log/situation.js';
import { dollars } from './api-values.js';

const MAX_SESSIONS = 10_000;

/** What this process has read of sessions for its callers, and statistics from it for metrics. Makes no requests. */
@Injectable()
export class SessionStats {
  readonly approvals = new WaitingApprovals();
  readonly spending = new Spending();
  private readonly existing = new LRUCache<string, true>({ max: MAX_SESSIONS });

  /** Whether the API has shown this session, or created it, as far as this process remembers. */
  hasSeen(sessionId: string): boolean {
    return this.existing.has(sessionId);
  }

  seen(sessionId: string): void {
    this.existing.set(sessionId, true);
  }

  started(sessionId: string): void {
    this.seen(sessionId);
    this.spending.started(sessionId);
  }

  session({ id, usage }: Anthropic.Beta.BetaManagedAgentsSession): void {
    this.seen(id);
    this.spending.seen(id, dollars(usage?.list_cost));
  }

  situation(sessionId: string, { pendingActions, usage }: Situation): void {
    this.seen(sessionId);
    this.approvals.seen(sessionId, pendingActions.length);
    this.spending.seen(sessionId, dollars(usage?.list_cost as { amount: string } | undefined));
  }
}

/**
 * The spending of sessions. The API reports the cost of one session at a time, so this sums the increases between reads:
 * from zero for a session started here, from the first read for any other.
 */
export class Spending {
  private readonly highest = new LRUCache<string, number>({ max: MAX_SESSIONS });
  private grown = 0;

  started(sessionId: string): void {
    this.highest.set(sessionId, 0);
  }

  /** Records the cost of a session, in dollars. Reads can arrive out of order, so a lower value is ignored. */
  seen(sessionId: string, usd: number | null): void {
    if (usd === null) return;
    const before = this.highest.get(sessionId) ?? usd;
    const now = Math.max(before, usd);
    this.highest.set(sessionId, now);
    this.grown += now - before;
  }

  /** In dollars, rounded to cents, since the process started. */
  get total(): number {
    return Math.round(this.grown * 100) / 100;
  }
}

/** A session that was not read for this long may have been answered elsewhere or deleted. In milliseconds. */
const FORGET_AFTER_MS = 60 * 60_000;

/** Counts the calls of agents that wait for an answer. */
export class WaitingApprovals {
  private readonly bySession = new LRUCache<string, number>({ max: MAX_SESSIONS, ttl: FORGET_AFTER_MS });

  /** Records how many calls a read of the session found pending. */
  seen(sessionId: string, waiting: number): void {
    if (waiting > 0) this.bySession.set(sessionId, waiting);
    else this.bySession.delete(sessionId);
  }

  /** Records answers sent by this process. */
  answered(sessionId: string, count: number): void {
    this.seen(sessionId, (this.bySession.get(sessionId) ?? 0) - count);
  }

  /** The session has ended, and with it all its pending calls. */
  ended(sessionId: string): void {
    this.bySession.delete(sessionId);
  }

  get total(): number {
    this.bySession.purgeStale();
    return [...this.bySession.values()].reduce((sum, waiting) => sum + waiting, 0);
  }
}
