import { LRUCache } from 'lru-cache';

const MAX_SESSIONS = 10_000;
/** A session that nobody has asked about for so long may have been answered elsewhere or be gone, in milliseconds. */
const FORGET_AFTER_MS = 60 * 60_000;

/** How many calls of agents wait for an answer. */
export class WaitingApprovals {
  private readonly bySession = new LRUCache<string, number>({ max: MAX_SESSIONS, ttl: FORGET_AFTER_MS });

  /** What a look at a session showed. */
  seen(sessionId: string, waiting: number): void {
    if (waiting > 0) this.bySession.set(sessionId, waiting);
    else this.bySession.delete(sessionId);
  }

  /** Some of them were answered through this process. */
  answered(sessionId: string, count: number): void {
    this.seen(sessionId, (this.bySession.get(sessionId) ?? 0) - count);
  }

  /** The session has ended, and nothing of it waits any more. */
  ended(sessionId: string): void {
    this.bySession.delete(sessionId);
  }

  get total(): number {
    this.bySession.purgeStale();
    return [...this.bySession.values()].reduce((sum, waiting) => sum + waiting, 0);
  }
}
