import { advance, cursorAtStart } from './cursor.js';
import { parseSince } from './cursor-text.js';
import { type FetchPage, type LogEvent, type LogPage, type LogQuery } from './event.js';
import { EndlessLogError, readEvents } from './reader.js';
import { formatTime, parseTime } from './time.js';

const NOON = parseTime('2026-08-17T12:00:00Z') ?? NaN;
const start = cursorAtStart('sesn_1');

const event = (id: string, stamp: number): LogEvent => ({ id, type: 'agent.message', processed_at: formatTime(stamp) });
const queued = (id: string): LogEvent => ({ id, type: 'user.message', processed_at: null });
const burst = (count: number): LogEvent[] => Array.from({ length: count }, (_, i) => event(`sevt_${i}`, NOON + i));
const ids = (events: readonly LogEvent[]): string[] => events.map(({ id }) => id);

/** Answers with one page after the other, whatever is asked, and keeps the queries. */
function scripted(...pages: readonly LogEvent[][]): { fetchPage: FetchPage; queries: LogQuery[] } {
  const queries: LogQuery[] = [];
  const fetchPage: FetchPage = (query) => {
    queries.push(query);
    const index = queries.length - 1;
    const nextPage = index < pages.length - 1 ? `page_${index + 1}` : undefined;
    return Promise.resolve({ events: pages[index] ?? [], nextPage });
  };
  return { fetchPage, queries };
}

describe('readEvents', () => {
  it('reads an empty log', async () => {
    const { fetchPage } = scripted([]);
    await expect(readEvents(fetchPage, { since: start, limit: 50 })).resolves.toEqual({
      events: [],
      hasMore: false,
      queued: 0,
      unreadable: 0,
    });
  });

  it('asks for the oldest events, of the types wanted, and one more than it delivers', async () => {
    const { fetchPage, queries } = scripted([]);
    await readEvents(fetchPage, { since: start, types: ['agent.message'], limit: 50 });
    expect(queries).toEqual([{ order: 'asc', limit: 51, types: ['agent.message'], from: undefined }]);
  });

  it('asks for as many events more as the overlap repeats, in the same request', async () => {
    const { fetchPage, queries } = scripted(burst(21));
    const since = advance(start, burst(20));
    const { events } = await readEvents(fetchPage, { since, limit: 50 });
    expect(queries).toEqual([{ order: 'asc', limit: 71, types: undefined, from: '2026-08-17T11:59:50.000019Z' }]);
    expect(ids(events)).toEqual(['sevt_20']);
  });

  it('never asks for more than the API gives', async () => {
    const { fetchPage, queries } = scripted([]);
    await readEvents(fetchPage, { since: start, limit: 5000 });
    expect(queries[0]?.limit).toBe(1000);
  });

  it('says whether there is more than the limit', async () => {
    const cut = await readEvents(scripted(burst(3)).fetchPage, { since: start, limit: 2 });
    expect([ids(cut.events), cut.hasMore]).toEqual([['sevt_0', 'sevt_1'], true]);
    const whole = await readEvents(scripted(burst(2)).fetchPage, { since: start, limit: 2 });
    expect([ids(whole.events), whole.hasMore]).toEqual([['sevt_0', 'sevt_1'], false]);
  });

  it('follows pages, also empty ones', async () => {
    const { fetchPage, queries } = scripted(burst(1), [], burst(2), []);
    const { events, hasMore } = await readEvents(fetchPage, { since: start, limit: 9 });
    expect([ids(events), hasMore]).toEqual([['sevt_0', 'sevt_1'], false]);
    expect(queries.map(({ page }) => page)).toEqual([undefined, 'page_1', 'page_2', 'page_3']);
  });

  it('takes a null next page for the end', async () => {
    const page = { events: burst(1), nextPage: null } as unknown as LogPage;
    const { hasMore } = await readEvents(() => Promise.resolve(page), { since: start, limit: 9 });
    expect(hasMore).toBe(false);
  });

  it('delivers an event once, however often the list repeats it', async () => {
    const [first, second] = burst(2) as [LogEvent, LogEvent];
    const { fetchPage } = scripted([first, first, second], [second, first]);
    const { events } = await readEvents(fetchPage, { since: start, limit: 9 });
    expect(ids(events)).toEqual(['sevt_0', 'sevt_1']);
  });

  it('counts queued inputs instead of delivering them', async () => {
    const { fetchPage } = scripted([
      queued('sevt_a'),
      ...burst(1),
      queued('sevt_b'),
      { id: 'sevt_c', type: 'user.message' },
    ]);
    const { events, queued: waiting } = await readEvents(fetchPage, { since: start, limit: 9 });
    expect([ids(events), waiting]).toEqual([['sevt_0'], 3]);
  });

  it('delivers an input that is processed while the pages are read', async () => {
    const { fetchPage } = scripted([queued('sevt_a')], [event('sevt_a', NOON)]);
    const { events, queued: waiting } = await readEvents(fetchPage, { since: start, limit: 9 });
    expect([ids(events), waiting]).toEqual([['sevt_a'], 0]);
  });

  it('delivers an event stamped before the delivered ones, once', async () => {
    const late = event('sevt_late', NOON - 9_000_000);
    const log = [late, ...burst(3)];
    const since = advance(start, burst(3));
    const { events } = await readEvents(scripted(log).fetchPage, { since, limit: 9 });
    expect(ids(events)).toEqual(['sevt_late']);
    const again = await readEvents(scripted(log).fetchPage, { since: advance(since, events), limit: 9 });
    expect(again.events).toEqual([]);
  });

  it('drops what an API that compares times more coarsely repeats', async () => {
    const since = parseSince('sesn_1', formatTime(NOON + 5));
    const { events } = await readEvents(scripted(burst(7)).fetchPage, { since, limit: 9 });
    expect(ids(events)).toEqual(['sevt_5', 'sevt_6']);
  });

  it('stops after ten pages once it has something to deliver', async () => {
    const { fetchPage, queries } = scripted(burst(1), ...Array.from({ length: 50 }, () => []));
    const { events, hasMore } = await readEvents(fetchPage, { since: start, limit: 9 });
    expect([ids(events), hasMore, queries.length]).toEqual([['sevt_0'], true, 10]);
  });

  it('stops after two megabytes to deliver, not counting what was delivered before', async () => {
    const log = burst(6);
    const fetchPage: FetchPage = ({ page = '0' }) => {
      const start = Number(page);
      const nextPage = start + 2 < log.length ? String(start + 2) : undefined;
      return Promise.resolve({ events: log.slice(start, start + 2), nextPage, bytes: 2 * 1024 * 1024 });
    };
    const first = await readEvents(fetchPage, { since: start, limit: 9 });
    expect([ids(first.events), first.hasMore]).toEqual([['sevt_0', 'sevt_1'], true]);
    const since = advance(start, burst(3));
    const second = await readEvents(fetchPage, { since, limit: 9 });
    expect([ids(second.events), second.hasMore]).toEqual([['sevt_3', 'sevt_4', 'sevt_5'], false]);
  });

  it('goes on past ten pages while it has nothing to deliver, with the largest pages', async () => {
    const { fetchPage, queries } = scripted(...Array.from({ length: 40 }, () => []), burst(1));
    const { events } = await readEvents(fetchPage, { since: start, limit: 9 });
    expect(ids(events)).toEqual(['sevt_0']);
    expect(queries.map(({ limit }) => limit).slice(0, 3)).toEqual([10, 1000, 1000]);
  });

  it('fails when the log neither ends nor goes on', async () => {
    const fetchPage: FetchPage = () => Promise.resolve({ events: burst(2), nextPage: 'page_again' });
    const read = readEvents(fetchPage, { since: advance(start, burst(2)), limit: 9 });
    await expect(read).rejects.toThrow(EndlessLogError);
  });

  it('passes on what fetching a page throws', async () => {
    const read = readEvents(() => Promise.reject(new Error('overloaded')), { since: start, limit: 9 });
    await expect(read).rejects.toThrow('overloaded');
  });
});
