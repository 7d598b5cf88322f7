import { cursorAtEnd, DeliveredEvents, type EventCursor, MAX_SEEN, OVERLAP_MICROS } from './cursor.js';
import { type FetchPage, identityOf, type LogEvent, type LogQuery, MAX_PAGES_BACK, stampOf } from './event.js';
import { formatTime } from './time.js';

/** The largest page the API gives. */
const MAX_PAGE_SIZE = 1000;

/** How many pages one read follows once it has something to deliver. */
const MAX_PAGES = 10;

/** After how much to deliver a read stops, in bytes: far more than fits into an answer. */
const MAX_BYTES = 2 * 1024 * 1024;

/** How many pages in a row may hold nothing that this read did not meet before. */
const MAX_BARREN_PAGES = 100;

export interface ReadRequest {
  readonly since: EventCursor;
  /** Event types to deliver; all when absent. A cursor belongs to the types it was read with. */
  readonly types?: readonly string[];
  /** How many events to deliver at most; 1 or more. */
  readonly limit: number;
}

export interface ReadResult {
  /** Events not delivered before, oldest first, in the order of the log. */
  readonly events: LogEvent[];
  /** Whether another read may deliver more at once. */
  readonly hasMore: boolean;
  /** How many queued inputs the read met. A read from a time meets none: the API's time filters don't see the queue. */
  readonly queued: number;
  /** How many entries of the pages that were read cannot be read. */
  readonly unreadable: number;
}

/** Thrown when the API keeps naming a next page but sends no more events. */
export class EndlessLogError extends Error {
  constructor() {
    super(`The event log goes on without an end: ${MAX_BARREN_PAGES} pages in a row held no further event.`);
    this.name = 'EndlessLogError';
  }
}

/**
 * Reads on from a cursor. Queued inputs are counted, and delivered by the read that first meets them processed. The
 * caller may keep only the first of the events: `advance(since, kept)` is the cursor that delivers the others next.
 *
 * @throws {EndlessLogError} when there is nothing to deliver and no end in sight; what `fetchPage` throws is passed on.
 */
export async function readEvents(fetchPage: FetchPage, request: ReadRequest): Promise<ReadResult> {
  const { limit } = request;
  const deduplicator = new EventDeduplicator(request.since);
  const events: LogEvent[] = [];
  const result = (hasMore: boolean): ReadResult => ({
    events: events.slice(0, limit),
    hasMore,
    queued: deduplicator.queued,
    unreadable,
  });
  let unreadable = 0;
  let query = firstQuery(request);
  let barrenPages = 0;
  let bytes = 0;
  for (let pages = 1; ; pages += 1) {
    const seenBefore = deduplicator.seenCount;
    const { events: listed, nextPage, bytes: pageBytes = 0, unreadable: leftOut = 0 } = await fetchPage(query);
    unreadable += leftOut;
    const news = listed.filter((event) => deduplicator.accepts(event));
    events.push(...news);
    bytes += pageBytes * (news.length / Math.max(listed.length, 1));
    if (events.length > limit) {
      return result(true);
    }
    if (!nextPage) {
      return result(false);
    }
    if (events.length === limit || (events.length > 0 && (pages >= MAX_PAGES || bytes >= MAX_BYTES))) {
      return result(true);
    }
    barrenPages = deduplicator.seenCount > seenBefore ? 0 : barrenPages + 1;
    if (barrenPages >= MAX_BARREN_PAGES) {
      // With events in hand this can't be reached: stopping at MAX_PAGES lets the caller go on from them.
      throw new EndlessLogError();
    }
    query = { ...query, limit: barrenPages > 0 ? MAX_PAGE_SIZE : query.limit, page: nextPage };
  }
}

/** One page has room for what was delivered near the cursor, for all that is wanted, and for one more to see if there is. */
function firstQuery({ since, types, limit }: ReadRequest): LogQuery {
  return {
    order: 'asc',
    limit: Math.min(since.seen.length + since.passed + limit + 1, MAX_PAGE_SIZE),
    types,
    from: since.from === undefined ? undefined : formatTime(since.from),
  };
}

/** Accepts each event that is processed, was not delivered before, and did not occur before in the same read. */
class EventDeduplicator {
  private readonly processed = new Set<string>();
  private readonly waiting = new Set<string>();
  private readonly delivered: DeliveredEvents;
  private passed = 0;
  private ties = 0;

  constructor(private readonly since: EventCursor) {
    this.delivered = new DeliveredEvents(since);
  }

  /** How many different events occurred. */
  get seenCount(): number {
    return this.processed.size + this.waiting.size;
  }

  get queued(): number {
    return [...this.waiting].filter((id) => !this.processed.has(id)).length;
  }

  accepts(event: LogEvent): boolean {
    const stamp = stampOf(event);
    const id = identityOf(event);
    if (stamp === undefined) {
      this.waiting.add(id);
      return false;
    }
    if (this.processed.has(id)) return false;
    this.processed.add(id);
    if (stamp === this.since.from && this.passed < this.since.passed) {
      this.passed += 1;
      return false;
    }
    // The API may compare times more coarsely than in microseconds, and return events from before `from`.
    if (!this.delivered.has(event)) return true;
    // A hash can match by chance, and within a burst of one microsecond a reader is often in the middle of it.
    if (stamp === this.since.newest) this.ties += 1;
    return stamp === this.since.newest && this.ties > this.delivered.ties;
  }
}

/** How many events one request reads to find the end of a log: the last ten seconds of most sessions. */
const END_PAGE_SIZE = 141;
/** And how many at most, when they are dense: more than a cursor can name. */
const MAX_END_EVENTS = MAX_SEEN + 1;

/** The cursor at the end of the log. Throws what `fetchPage` throws. */
export async function readEnd(fetchPage: FetchPage, sessionId: string): Promise<EventCursor> {
  const newestFirst: LogEvent[] = [];
  let page: string | undefined;
  for (let pages = 0; pages < MAX_PAGES_BACK && newestFirst.length < MAX_END_EVENTS; pages += 1) {
    const { events, nextPage } = await fetchPage({ order: 'desc', limit: END_PAGE_SIZE, page });
    // Events can be large, and a cursor needs only their identity.
    newestFirst.push(...events.map(({ id, type, processed_at }) => ({ id, type, processed_at })));
    page = nextPage;
    if (page === undefined || spansOverlap(newestFirst)) break;
  }
  return cursorAtEnd(sessionId, newestFirst.toReversed(), page === undefined);
}

function spansOverlap(events: readonly LogEvent[]): boolean {
  const stamps = events.map(stampOf).filter((stamp) => stamp !== undefined);
  return Math.max(...stamps) - Math.min(...stamps) > OVERLAP_MICROS;
}
