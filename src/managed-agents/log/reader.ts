import { cursorAtEnd, type EventCursor, fingerprintOf, MAX_SEEN } from './cursor.js';
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
  });
  let query = firstQuery(request);
  let barrenPages = 0;
  let bytes = 0;
  for (let pages = 1; ; pages += 1) {
    const seenBefore = deduplicator.seenCount;
    const { events: listed, nextPage, bytes: pageBytes = 0 } = await fetchPage(query);
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
    limit: Math.min(since.seen.size + since.passed + limit + 1, MAX_PAGE_SIZE),
    types,
    from: since.from === undefined ? undefined : formatTime(since.from),
  };
}

/** Lets each event through that is processed, was not delivered before, and was not met before in the same read. */
class EventDeduplicator {
  private readonly processed = new Set<string>();
  private readonly waiting = new Set<string>();
  private passed = 0;

  constructor(private readonly since: EventCursor) {}

  /** How many different events were met. */
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
    if (this.processed.has(id)) {
      return false;
    }
    this.processed.add(id);
    return !this.wasDelivered(event, stamp);
  }

  private wasDelivered(event: LogEvent, stamp: number): boolean {
    const { from, passed, seen } = this.since;
    if (stamp === from && this.passed < passed) {
      this.passed += 1;
      return true;
    }
    // The filter is the API's; if it compares more coarsely than in microseconds, older events come along.
    return stamp < (from ?? 0) || seen.has(fingerprintOf(event));
  }
}

/** The cursor after everything that has happened until now. What `fetchPage` throws is passed on. */
export async function readEnd(fetchPage: FetchPage, sessionId: string): Promise<EventCursor> {
  const newestFirst: LogEvent[] = [];
  let page: string | undefined;
  for (let pages = 0; pages < MAX_PAGES_BACK && newestFirst.length <= MAX_SEEN; pages += 1) {
    const { events, nextPage } = await fetchPage({ order: 'desc', limit: MAX_SEEN + 1, page });
    // Events can be large, and a cursor needs to know only which they are.
    newestFirst.push(...events.map(({ id, type, processed_at }) => ({ id, type, processed_at })));
    page = nextPage;
    if (page === undefined) break;
  }
  return cursorAtEnd(sessionId, newestFirst.toReversed(), page === undefined);
}
