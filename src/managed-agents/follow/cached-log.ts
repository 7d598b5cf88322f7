import { advance, cursorAt, type EventCursor } from '../log/cursor.js';
import { type FetchPage, type LogEvent, SITUATION_TYPES, stampOf } from '../log/event.js';
import { readEvents } from '../log/reader.js';
import { parseTime } from '../log/time.js';

/** How much of a log is kept, in characters of JSON. */
const MAX_CHARS = 256 * 1024;
/** How many events one start or catch-up reads at most; a longer backlog is not cached. */
const MAX_BACKLOG = 900;

interface Entry {
  readonly event: LogEvent;
  readonly chars: number;
}

/**
 * The recent part of a session's log as the list returned it, shared by all waits for the session, so that each event is
 * read from the API once. Bounded; older events have to be read from the API.
 */
export class CachedLog {
  private entries: readonly Entry[] = [];
  private chars = 0;
  /** The most entries that one of its reads could not read: reads overlap, and such entries cannot be told apart. */
  private unreadable = 0;
  /** How far the log was read; undefined while the cache is empty. */
  private cursor: EventCursor | undefined;
  /** The cache holds every event stamped at or after this, in µs since 1970; undefined when it holds the whole log. */
  private floor: number | undefined;

  constructor(private readonly source: FetchPage) {}

  /** Whether the cache holds every event after this cursor, as of the last read. */
  covers(since: EventCursor): boolean {
    if (this.cursor === undefined) return false;
    return this.floor === undefined || (since.from !== undefined && since.from >= this.floor);
  }

  /** Reads the events that are new since the last read. */
  async catchUp(): Promise<void> {
    if (this.cursor) await this.readFrom(this.cursor);
  }

  /** Starts again from this cursor; stays empty when that is more than {@link MAX_BACKLOG} events. */
  async startAt({ sessionId, from }: EventCursor): Promise<void> {
    this.clear();
    this.floor = from;
    // Other readers may not have seen the events that this cursor names as delivered.
    await this.readFrom(cursorAt(sessionId, from));
  }

  /** Lists a snapshot of the cache, oldest first, in pages as the API does. */
  pages(): FetchPage {
    const { entries, unreadable } = this;
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
        ...(start === 0 && { unreadable }),
      });
    };
  }

  private async readFrom(since: EventCursor): Promise<void> {
    const { events, hasMore, unreadable } = await readEvents(this.source, { since, limit: MAX_BACKLOG });
    if (hasMore) return this.clear();
    this.cursor = advance(since, events);
    this.unreadable = Math.max(this.unreadable, unreadable);
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
    this.unreadable = 0;
    this.cursor = undefined;
    this.floor = undefined;
  }
}

/** How long the list can lag the stream, with a margin, in milliseconds. */
const MAX_AGE_MS = 10_000;
const MAX_FRAMES = 200;
/** Longer events are read from the list only. In characters of JSON. */
const MAX_FRAME_CHARS = 16 * 1024;
const MAX_TOTAL_CHARS = 256 * 1024;

interface Frame {
  readonly event: LogEvent;
  readonly chars: number;
  readonly at: number;
}

/** The latest frames of a stream that a session's situation depends on, oldest first. Bounded in age, count and size. */
export class RecentFrames {
  private frames: readonly Frame[] = [];

  add(event: LogEvent): void {
    if (!SITUATION_TYPES.includes(event.type)) return;
    const kept = withoutResult(event);
    const chars = JSON.stringify(kept).length;
    if (chars > MAX_FRAME_CHARS) return;
    this.frames = newestWithin(MAX_TOTAL_CHARS, [
      ...this.fresh().slice(-MAX_FRAMES + 1),
      { event: kept, chars, at: performance.now() },
    ]);
  }

  all(): LogEvent[] {
    return this.fresh().map(({ event }) => event);
  }

  private fresh(): readonly Frame[] {
    const oldest = performance.now() - MAX_AGE_MS;
    return this.frames.filter(({ at }) => at >= oldest);
  }
}

function newestWithin(maxChars: number, frames: readonly Frame[]): readonly Frame[] {
  let chars = 0;
  const tooOld = frames.findLastIndex((frame) => (chars += frame.chars) > maxChars);
  return frames.slice(tooOld + 1);
}

/** The situation depends on the existence of a result, not on its content. */
function withoutResult(event: LogEvent): LogEvent {
  return event.type.endsWith('tool_result') ? { ...event, content: undefined } : event;
}
