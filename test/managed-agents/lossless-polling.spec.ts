import fc from 'fast-check';
import { advance, cursorAtStart, type EventCursor } from '../../src/managed-agents/log/cursor.js';
import { encodeCursor, parseSince } from '../../src/managed-agents/log/cursor-text.js';
import { type LogEvent } from '../../src/managed-agents/log/event.js';
import { stampOf } from '../../src/managed-agents/log/event.js';
import { readEvents } from '../../src/managed-agents/log/reader.js';
import { FakeLog, type Habits, ORDERLY, SESSION } from '../support/fake-log.js';
import { gap, habits } from '../support/log-growth.js';

const SECOND = 1_000_000;

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
    await fc.assert(losesNothing(faithful), { numRuns: 10_000 });
  }, 600_000);

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
  }, 600_000);

  it('reads thousands of events of a few seconds with one request each time', async () => {
    const log = new FakeLog(ORDERLY);
    Array.from({ length: 4000 }, (_, index) => {
      log.append(index % 3 === 0 ? 1500 : 1);
    });
    const client = new Client(log, faithful);
    await client.drain(100);
    expect(client.deliveredIds).toEqual(log.processedIds);
    expect(log.requests).toBe(40);
  });

  it('reads thousands of events of one microsecond in order, through small pages', async () => {
    const log = new FakeLog({ ...ORDERLY, maxPageSize: 100 });
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
    const log = new FakeLog(ORDERLY);
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
        const from = Math.max(next.newest, next.from ?? 0);
        return { ...next, from, seen: next.seen.filter(({ stamp }) => stamp === from) };
      },
    ],
    ['remembers nothing of what it read', (cursor, delivered) => ({ ...advance(cursor, delivered), seen: [] })],
    ['moves past what it read but did not deliver', (cursor, _, events) => advance(cursor, events)],
  ])('finds a reader that %s', async (_, move) => {
    const details = await fc.check(losesNothing(move), { seed: 42, numRuns: 1000, endOnFailure: true });
    expect(details.failed).toBe(true);
    expect(String(details.errorInstance)).toMatch(/toEqual|no progress/);
  });
});
