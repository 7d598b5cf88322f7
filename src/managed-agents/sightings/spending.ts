import { LRUCache } from 'lru-cache';

const MAX_SESSIONS = 10_000;

/**
 * What sessions spend. The API tells the cost of one session at a time and only to who asks, so this adds up by how much
 * each has grown from look to look: from nothing for a session started here, from the first look for any other.
 */
export class Spending {
  private readonly highest = new LRUCache<string, number>({ max: MAX_SESSIONS });
  private grown = 0;

  started(sessionId: string): void {
    this.highest.set(sessionId, 0);
  }

  /** What a look at a session showed, in dollars. Looks may come late: what is less than was seen before says nothing. */
  seen(sessionId: string, usd: number | null): void {
    if (usd === null) return;
    const before = this.highest.get(sessionId) ?? usd;
    const now = Math.max(before, usd);
    this.highest.set(sessionId, now);
    this.grown += now - before;
  }

  /** In dollars, to the cent as the API tells them, since the process began. */
  get total(): number {
    return Math.round(this.grown * 100) / 100;
  }
}
