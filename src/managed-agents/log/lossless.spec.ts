import fc from 'fast-check';
import { advance, cursorAtStart, encodeCursor, type EventCursor, OVERLAP_MICROS, parseSince } from './cursor.js';
import { type FetchPage, type LogEvent, type LogPage, type LogQuery } from './event.js';
import { stampOf } from './fields.js';
import { readEvents } from './reader.js';
import { formatTime, parseTime } from './time.js';

const SESSION = 'sesn_1';
const NOON = parseTime('2026-08-17T12:00:00Z') ?? NaN;
const SECOND = 1_000_000;

/** What a log may do that the API's documentation leaves open. */
interface Habits {
  /** Sorted by stamp, ties as they came in; or as they came in, whatever the stamps. */
  readonly sorted: boolean;
  readonly queuedFirst: boolean;
  readonly maxPageSize: number;
  /** Every page is preceded by an empty one that has a cursor. */
  readonly emptyPages: boolean;
  /** A page begins with the last event of the page before, twice. */
  readonly repeats: boolean;
  readonly lastPage: 'absent' | 'null' | 'empty page';
}

interface Entry {
  readonly id: string;
  readonly stamp: number | undefined;
}

/** A session's event log that answers like the API: queued events are invisible to time filters, pages have cursors. */
class FakeLog {
  private entries: Entry[] = [];
  private clock = NOON;
  private created = 0;
  readonly lateIds = new Set<string>();
  requests = 0;

  constructor(private readonly habits: Habits) {}

  /** Appends an event stamped `gap` µs after the newest, or before it when negative: late. */
  append(gap: number): void {
    this.add(this.newId(), gap);
  }

  enqueue(): void {
    this.entries.push({ id: this.newId(), stamp: undefined });
  }

  /** Stamps the input that waits longest; from then on it stands where it was processed. */
  process(gap: number): void {
    const waiting = this.entries.find(({ stamp }) => stamp === undefined);
    if (waiting) {
      this.entries = this.entries.filter((entry) => entry !== waiting);
      this.add(waiting.id, gap);
    }
  }

  /** Ids of the processed events in the order of the list. */
  get processedIds(): string[] {
    const processed = this.list({ order: 'asc', limit: 0 }).filter(({ stamp }) => stamp !== undefined);
    return processed.map(({ id }) => id);
  }

  readonly fetchPage: FetchPage = (query) => {
    this.requests += 1;
    return Promise.resolve(this.page(query));
  };

  private page(query: LogQuery): LogPage {
    const { emptyPages, lastPage, maxPageSize, repeats } = this.habits;
    const [offset = 0, isAnnounced = 0] = (query.page ?? '').split('|').map(Number);
    if (emptyPages && !isAnnounced) {
      return { events: [], nextPage: `${offset}|1` };
    }
    const all = this.list(query);
    const end = offset + Math.min(query.limit, maxPageSize);
    const listed = all.slice(offset, end);
    const repeated = repeats ? all.slice(Math.max(offset - 1, 0), offset).flatMap((entry) => [entry, entry]) : [];
    const isLast = lastPage === 'empty page' ? listed.length === 0 : end >= all.length;
    const theEnd = lastPage === 'null' ? (null as unknown as undefined) : undefined;
    return { events: [...repeated, ...listed].map(toEvent), nextPage: isLast ? theEnd : `${end}|0` };
  }

  private list({ from, order }: LogQuery): Entry[] {
    const since = from === undefined ? -Infinity : (parseTime(from) ?? NaN);
    const visible = this.entries.filter(({ stamp }) => from === undefined || (stamp ?? -Infinity) >= since);
    const place = ({ stamp }: Entry): number => stamp ?? (this.habits.queuedFirst ? 0 : Number.MAX_VALUE);
    const listed = this.habits.sorted ? visible.toSorted((a, b) => place(a) - place(b)) : visible;
    return order === 'asc' ? listed : listed.toReversed();
  }

  private add(id: string, gap: number): void {
    const stamp = this.clock + gap;
    this.entries.push({ id, stamp });
    if (gap < 0) {
      this.lateIds.add(id);
    }
    this.clock = Math.max(this.clock, stamp);
  }

  private newId(): string {
    this.created += 1;
    return `sevt_${this.created}`;
  }
}

function toEvent({ id, stamp }: Entry): LogEvent {
  return { id, type: 'agent.message', processed_at: stamp === undefined ? null : formatTime(stamp) };
}

/** Where a reader goes on after it read `events` and delivered the first of them. */
type Move = (cursor: EventCursor, delivered: readonly LogEvent[], events: readonly LogEvent[]) => EventCursor;

/** A client that polls with the cursor's text, as one that talks to the server does. */
class Client {
  readonly deliveredIds: string[] = [];
  private since: string | undefined;

  constructor(
    private readonly log: FakeLog,
    private readonly move: Move,
  ) {}

  /** Reads once and delivers that part of the events, at least one. Resolves to whether there may be more. */
  async poll(limit: number, part = 1): Promise<boolean> {
    const cursor = parseSince(SESSION, this.since);
    const { events, hasMore } = await readEvents(this.log.fetchPage, { since: cursor, limit });
    const delivered = events.slice(0, Math.ceil(events.length * part));
    this.since = encodeCursor(this.move(cursor, delivered, events));
    this.deliveredIds.push(...delivered.map(({ id }) => id));
    return hasMore || delivered.length < events.length;
  }

  /** Reads until nothing is left. */
  async drain(limit: number): Promise<void> {
    let reads = 0;
    while (await this.poll(limit)) {
      reads += 1;
      if (reads > 1000) {
        throw new Error('The reader makes no progress.');
      }
    }
  }
}

type Step =
  | { readonly do: 'append'; readonly gaps: readonly number[] }
  | { readonly do: 'enqueue' }
  | { readonly do: 'process'; readonly gap: number }
  | { readonly do: 'poll'; readonly limit: number; readonly part: number };

const tieOrBurst = fc.constantFrom(0, 1, 2);
const pause = fc.integer({ min: 0, max: 20 * SECOND });
const late = fc.integer({ min: -OVERLAP_MICROS, max: -1 });
const gap = fc.oneof(
  { weight: 4, arbitrary: tieOrBurst },
  { weight: 2, arbitrary: pause },
  { weight: 1, arbitrary: late },
);

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant('append' as const), gaps: fc.array(gap, { maxLength: 6 }) }),
  fc.record({ do: fc.constant('enqueue' as const) }),
  fc.record({ do: fc.constant('process' as const), gap }),
  fc.record({
    do: fc.constant('poll' as const),
    limit: fc.integer({ min: 1, max: 8 }),
    part: fc.double({ min: 0, max: 1, noNaN: true }),
  }),
);

const habits: fc.Arbitrary<Habits> = fc.record({
  sorted: fc.boolean(),
  queuedFirst: fc.boolean(),
  maxPageSize: fc.constantFrom(1, 2, 3, 7, 1000),
  emptyPages: fc.boolean(),
  repeats: fc.boolean(),
  lastPage: fc.constantFrom('absent' as const, 'null' as const, 'empty page' as const),
});

const orderly: Habits = {
  sorted: true,
  queuedFirst: false,
  maxPageSize: 1000,
  emptyPages: false,
  repeats: false,
  lastPage: 'absent',
};

async function play(log: FakeLog, client: Client, steps: readonly Step[]): Promise<void> {
  for (const next of steps) {
    switch (next.do) {
      case 'append':
        next.gaps.forEach((each) => {
          log.append(each);
        });
        break;
      case 'enqueue':
        log.enqueue();
        break;
      case 'process':
        log.process(next.gap);
        break;
      case 'poll':
        await client.poll(next.limit, next.part);
        break;
    }
  }
}

/** Whatever the log does, a client gets every processed event exactly once, and the punctual ones in the log's order. */
const losesNothing = (move: Move): fc.IAsyncPropertyWithHooks<[Habits, Step[], number]> =>
  fc.asyncProperty(
    habits,
    fc.array(step, { maxLength: 24 }),
    fc.integer({ min: 1, max: 8 }),
    async (of, steps, limit) => {
      const log = new FakeLog(of);
      const client = new Client(log, move);
      await play(log, client, steps);
      await client.drain(limit);
      expect(client.deliveredIds.toSorted()).toEqual(log.processedIds.toSorted());
      // A list in the order of arrival has late events last; one sorted by stamp has them before what was delivered.
      const isInPlace = (id: string): boolean => !of.sorted || !log.lateIds.has(id);
      expect(client.deliveredIds.filter(isInPlace)).toEqual(log.processedIds.filter(isInPlace));
    },
  );

const faithful: Move = (cursor, delivered) => advance(cursor, delivered);

describe('reading a log with cursors', () => {
  it('delivers every event exactly once, whatever the order, the ties and the pages', async () => {
    await fc.assert(losesNothing(faithful), { numRuns: 4000 });
  }, 30_000);

  it('pages through dense logs without loss, in order', async () => {
    const clumps = fc.array(fc.tuple(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 0, max: 50_000 })), {
      minLength: 1,
      maxLength: 6,
    });
    const limits = fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 30 });
    const widePages = habits.map((of) => ({ ...of, maxPageSize: Math.max(of.maxPageSize, 60) }));
    await fc.assert(
      fc.asyncProperty(widePages, clumps, limits, async (of, sizesAndGaps, readLimits) => {
        const log = new FakeLog(of);
        const client = new Client(log, faithful);
        for (const [size, before] of sizesAndGaps) {
          log.append(before);
          Array.from({ length: size - 1 }, () => {
            log.append(0);
          });
          await client.poll(readLimits[log.requests % readLimits.length] ?? 1, 0.7);
        }
        await client.drain(50);
        expect(client.deliveredIds).toEqual(log.processedIds);
      }),
      { numRuns: 60 },
    );
  }, 30_000);

  it('reads thousands of events of a few seconds with one request each time', async () => {
    const log = new FakeLog(orderly);
    Array.from({ length: 4000 }, (_, index) => {
      log.append(index % 3 === 0 ? 1500 : 1);
    });
    const client = new Client(log, faithful);
    await client.drain(100);
    expect(client.deliveredIds).toEqual(log.processedIds);
    expect(log.requests).toBe(40);
  });

  it('reads thousands of events of one microsecond in order, through small pages', async () => {
    const log = new FakeLog({ ...orderly, maxPageSize: 100 });
    Array.from({ length: 3000 }, () => {
      log.append(0);
    });
    const client = new Client(log, faithful);
    await client.drain(200);
    log.append(0);
    await client.drain(200);
    expect(client.deliveredIds).toEqual(log.processedIds);
  });

  it('keeps apart what is queued and what is processed', async () => {
    const log = new FakeLog(orderly);
    log.append(0);
    log.enqueue();
    const client = new Client(log, faithful);
    await client.drain(9);
    expect(client.deliveredIds).toEqual(['sevt_1']);
    log.append(5 * SECOND);
    log.process(60 * SECOND);
    await client.drain(9);
    expect(client.deliveredIds).toEqual(['sevt_1', 'sevt_3', 'sevt_2']);
  });
});

describe('the property above', () => {
  const newestStamp = (cursor: EventCursor, delivered: readonly LogEvent[]): number | undefined =>
    delivered.length === 0 ? cursor.from : Math.max(...delivered.map((event) => stampOf(event) ?? 0), cursor.from ?? 0);

  it.each<[string, Move]>([
    [
      'reads after the newest stamp',
      (cursor, delivered) => {
        const newest = newestStamp(cursor, delivered);
        return { ...cursorAtStart(SESSION), from: newest === cursor.from ? newest : (newest ?? 0) + 1 };
      },
    ],
    [
      'reads from the newest stamp without an overlap',
      (cursor, delivered) => {
        const next = advance(cursor, delivered);
        const from = Math.max(...next.seen.values(), next.from ?? 0);
        return { ...next, from, seen: new Map([...next.seen].filter(([, stamp]) => stamp === from)) };
      },
    ],
    ['remembers nothing of what it read', (cursor, delivered) => ({ ...advance(cursor, delivered), seen: new Map() })],
    ['moves past what it read but did not deliver', (cursor, _, events) => advance(cursor, events)],
  ])('finds a reader that %s', async (_, move) => {
    const details = await fc.check(losesNothing(move), { seed: 42, numRuns: 1000, endOnFailure: true });
    expect(details.failed).toBe(true);
    expect(String(details.errorInstance)).toMatch(/toEqual|no progress/);
  });
});
