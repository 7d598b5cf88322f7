import { cursorAtEnd, type EventCursor, MAX_SEEN } from './cursor.js';
import { type FetchPage, type LogEvent, MAX_PAGES_BACK } from './event.js';

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
