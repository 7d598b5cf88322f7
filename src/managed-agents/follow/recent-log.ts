import { advance, type EventCursor } from '../log/cursor.js';
import { type FetchPage, type LogEvent } from '../log/event.js';
import { stampOf } from '../log/fields.js';
import { readEvents } from '../log/reader.js';
import { parseTime } from '../log/time.js';

/** How much of a log is kept, in characters of JSON. */
const MAX_CHARS = 256 * 1024;
/** How many events one start or catching-up reads at most; a longer backlog is not worth keeping. */
const MAX_BACKLOG = 900;

interface Entry {
  readonly event: LogEvent;
  readonly chars: number;
}

/**
 * The recent part of a session's log, as the list gave it, for all who follow the session: what one of them read, the
 * others need not read again. Bounded; who asks for older events has to read them from the API.
 */
export class RecentLog {
  private entries: readonly Entry[] = [];
  private chars = 0;
  /** Up to where the log was read; undefined while nothing is kept. */
  private cursor: EventCursor | undefined;
  /** Every event stamped at or after this was kept, in µs; undefined when all were. */
  private floor: number | undefined;

  constructor(private readonly source: FetchPage) {}

  /** Whether everything that a reader at this cursor still lacks is kept, as of the last reading. */
  covers(since: EventCursor): boolean {
    if (this.cursor === undefined) return false;
    return this.floor === undefined || (since.from !== undefined && since.from >= this.floor);
  }

  /** Reads what is new since the last reading. */
  async catchUp(): Promise<void> {
    if (this.cursor) await this.readFrom(this.cursor);
  }

  /** Begins anew, far enough back for a reader at this cursor; keeps nothing when that is too much. */
  async startAt({ sessionId, from }: EventCursor): Promise<void> {
    this.clear();
    this.floor = from;
    // Without what that reader has seen already: others may not have.
    await this.readFrom({ sessionId, from, passed: 0, seen: new Map() });
  }

  /** Lists what is kept now, oldest first, the way the API does; what is kept or dropped later makes no difference. */
  pages(): FetchPage {
    const { entries } = this;
    return ({ limit, types, from, page }) => {
      const since = from === undefined ? -Infinity : (parseTime(from) ?? -Infinity);
      const isWanted = ({ event }: Entry) =>
        (stampOf(event) ?? Infinity) >= since && (types?.includes(event.type) ?? true);
      const matching = entries.filter(isWanted);
      const start = Number(page ?? 0);
      const end = start + limit;
      return Promise.resolve({
        events: matching.slice(start, end).map(({ event }) => event),
        nextPage: end < matching.length ? String(end) : undefined,
      });
    };
  }

  private async readFrom(since: EventCursor): Promise<void> {
    const { events, hasMore } = await readEvents(this.source, { since, limit: MAX_BACKLOG });
    if (hasMore) return this.clear();
    this.cursor = advance(since, events);
    this.keep(events);
  }

  private keep(events: readonly LogEvent[]): void {
    const added = events.map((event) => ({ event, chars: JSON.stringify(event).length }));
    const entries = [...this.entries, ...added];
    this.chars += added.reduce((sum, { chars }) => sum + chars, 0);
    let dropped = 0;
    for (const { event, chars } of entries) {
      if (this.chars <= MAX_CHARS) break;
      dropped += 1;
      this.chars -= chars;
      this.floor = Math.max(this.floor ?? 0, (stampOf(event) ?? 0) + 1);
    }
    this.entries = entries.slice(dropped);
  }

  private clear(): void {
    this.entries = [];
    this.chars = 0;
    this.cursor = undefined;
    this.floor = undefined;
  }
}
