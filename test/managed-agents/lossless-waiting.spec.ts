import fc from 'fast-check';
import { ReadBudget } from '../../src/managed-agents/follow/read-budget.js';
import { CachedLog } from '../../src/managed-agents/follow/cached-log.js';
import { SessionFollower } from '../../src/managed-agents/follow/session-follower.js';
import { CachedRead } from '../../src/managed-agents/follow/session-follower.js';
import { advance, type EventCursor } from '../../src/managed-agents/log/cursor.js';
import { encodeCursor, parseSince } from '../../src/managed-agents/log/cursor-text.js';
import { type FetchPage, type LogEvent } from '../../src/managed-agents/log/event.js';
import { readEvents, type ReadResult } from '../../src/managed-agents/log/reader.js';
import { FakeLog, type Habits, ORDERLY, SESSION } from '../support/fake-log.js';
import { FakeStreams } from '../support/fake-streams.js';
import { gap, habits } from '../support/log-growth.js';
import { pass, settle, useVirtualTime } from '../support/virtual-time.js';

// Thousands of cases take their time on a busy machine.
jest.setTimeout(600_000);
beforeAll(useVirtualTime);
afterAll(() => {
  jest.useRealTimers();
});
afterEach(() => jest.restoreAllMocks());

/** Three of these are more than a follower keeps. */
const BIG = 'x'.repeat(100_000);
/** Longer than any pause between two attempts to open a stream. */
const RECONNECTED_MS = 11_000;

type Way = 'poll' | 'wait';

/** A session with both faces, and one follower that all share who wait for it. */
class World {
  readonly streams = new FakeStreams();
  readonly log: FakeLog;
  private follower: SessionFollower | undefined;
  private failing = 0;

  constructor(
    of: Habits,
    private readonly hops: number,
  ) {
    this.log = new FakeLog(of, (event) => this.streams.emit(event));
  }

  /** The list, which answers what was true when it was asked, a little later. */
  private readonly fetchPage: FetchPage = async (query) => {
    const isRefused = this.failing > 0;
    if (isRefused) this.failing -= 1;
    const answer = this.log.fetchPage(query);
    for (let hop = 0; hop < this.hops; hop += 1) await Promise.resolve();
    if (isRefused) throw new Error('refused');
    return answer;
  };

  fail(times: number): void {
    this.failing = times;
  }

  read(way: Way, since: EventCursor, limit: number): Promise<ReadResult> {
    if (way === 'poll') return readEvents(this.fetchPage, { since, limit });
    this.follower ??= new SessionFollower(
      { fetchPage: this.fetchPage, open: this.streams.open },
      new ReadBudget(1_000_000),
    );
    return this.follower.read(since, limit);
  }

  /** Nobody waits any more. */
  leave(): void {
    this.follower?.close();
    this.follower = undefined;
  }

  /** Everything works again, but the stream has just been cut. */
  async recover(): Promise<void> {
    this.log.catchUp();
    this.fail(0);
    Object.assign(this.streams, { refusal: undefined, silent: false });
    this.streams.release();
    this.streams.cut();
    await settle();
  }
}

/** A client with a cursor of its own, which it keeps as text between its calls. */
class Client {
  readonly deliveredIds: string[] = [];
  private since: string | undefined;
  private reading: Promise<boolean> = Promise.resolve(false);

  constructor(private readonly world: World) {}

  /** Reads once, after the reading before, and keeps that part of the events. Resolves to whether there may be more. */
  read(way: Way, limit: number, part = 1): Promise<boolean> {
    this.reading = this.reading.catch(() => true).then(() => this.readNow(way, limit, part));
    this.reading.catch(() => undefined);
    return this.reading;
  }

  private async readNow(way: Way, limit: number, part: number): Promise<boolean> {
    const cursor = parseSince(SESSION, this.since);
    const { events, hasMore } = await this.world.read(way, cursor, limit);
    const delivered = events.slice(0, Math.ceil(events.length * part));
    this.since = encodeCursor(advance(cursor, delivered));
    this.deliveredIds.push(...delivered.map(({ id }) => id));
    return hasMore || delivered.length < events.length;
  }

  async drain(way: Way, limit: number): Promise<void> {
    for (let reads = 0; await this.read(way, limit); reads += 1) {
      if (reads > 2000) throw new Error('The reader makes no progress.');
    }
  }
}

type Step =
  | { readonly do: 'append'; readonly gaps: readonly number[]; readonly big: boolean }
  | { readonly do: 'process'; readonly gap: number }
  | {
      readonly do: 'read';
      readonly client: number;
      readonly way: Way;
      readonly limit: number;
      readonly part: number;
      /** How many promises later the next step comes; all the reading takes when absent. */
      readonly hops?: number;
    }
  | { readonly do: 'fail'; readonly times: number }
  | { readonly do: 'pass'; readonly ms: number }
  | { readonly do: Quirk };

const QUIRKS = {
  enqueue: ({ log }: World) => log.enqueue(),
  lag: ({ log }: World) => log.lag(),
  'catch up': ({ log }: World) => log.catchUp(),
  'hold frames': ({ streams }: World) => streams.hold(),
  'release frames': ({ streams }: World) => streams.release(),
  'release frames reversed': ({ streams }: World) => streams.release(true),
  'cut the stream': ({ streams }: World) => streams.cut(),
  'break the stream': ({ streams }: World) => streams.cut(new Error('broken')),
  'refuse streams': ({ streams }: World) => (streams.refusal = new Error('refused')),
  'accept streams': ({ streams }: World) => (streams.refusal = undefined),
  'lose frames': ({ streams }: World) => (streams.silent = true),
  'show frames': ({ streams }: World) => (streams.silent = false),
  'show a frame twice': ({ log, streams }: World) => {
    const first = log.processedIds[0];
    if (first) streams.emit({ id: first, type: 'agent.message', processed_at: '2026-08-17T12:00:00.000000Z' });
  },
  leave: (world: World) => world.leave(),
} satisfies Record<string, (world: World) => unknown>;
type Quirk = keyof typeof QUIRKS;

const read = fc.record(
  {
    do: fc.constant('read' as const),
    client: fc.nat({ max: 2 }),
    way: fc.constantFrom<Way>('poll', 'wait'),
    limit: fc.integer({ min: 1, max: 8 }),
    part: fc.double({ min: 0, max: 1, noNaN: true }),
    hops: fc.nat({ max: 12 }),
  },
  { requiredKeys: ['do', 'client', 'way', 'limit', 'part'] },
);

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('append' as const),
      gaps: fc.array(gap, { maxLength: 6 }),
      big: fc.nat({ max: 4 }).map((die) => die === 0),
    }),
  },
  { weight: 6, arbitrary: read },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('process' as const), gap }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('fail' as const), times: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 3000 }) }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constantFrom(...(Object.keys(QUIRKS) as Quirk[])) }) },
);

async function play(world: World, clients: readonly Client[], steps: readonly Step[]): Promise<void> {
  for (const next of steps) {
    switch (next.do) {
      case 'append':
        // No reading lasts as long as it takes for an event to be too late for it.
        if (next.gaps.some((each) => each > 2)) await settle();
        for (const [index, each] of next.gaps.entries()) world.log.append(each, next.big && index === 0 ? BIG : '');
        break;
      case 'process':
        await settle();
        world.log.process(next.gap);
        break;
      case 'fail':
        world.fail(next.times);
        break;
      case 'pass':
        await pass(next.ms);
        break;
      case 'read':
        void clients[next.client % clients.length]!.read(next.way, next.limit, next.part).catch(() => undefined);
        if (next.hops === undefined) await settle();
        for (let hop = 0; hop < (next.hops ?? 0); hop += 1) await Promise.resolve();
        break;
      default:
        QUIRKS[next.do](world);
    }
  }
}

/** Every client got every processed event exactly once, and the punctual ones in the log's order. */
function expectNothingLost({ sorted }: Habits, { log }: World, clients: readonly Client[]): void {
  // A list in the order of arrival has late events last; one sorted by stamp has them before what was delivered.
  const isInPlace = (id: string): boolean => !sorted || !log.lateIds.has(id);
  for (const { deliveredIds } of clients) {
    expect(deliveredIds.toSorted()).toEqual(log.processedIds.toSorted());
    expect(deliveredIds.filter(isInPlace)).toEqual(log.processedIds.filter(isInPlace));
  }
}

/** Some of the clients read what is left by polling, the others by waiting, one after the other or all at once. */
const endings = fc.record({
  ways: fc.array(fc.constantFrom<Way>('poll', 'wait'), { minLength: 1, maxLength: 3 }),
  /** Whether everybody leaves before, so that another follower begins. */
  anew: fc.boolean(),
});

const losesNothing = (allowedWays: readonly Way[]) =>
  fc.asyncProperty(
    habits,
    fc.nat({ max: 6 }),
    fc.array(step, { maxLength: 24 }),
    endings,
    fc.integer({ min: 1, max: 8 }),
    async (of, hops, steps, { ways, anew }, limit) => {
      const world = new World(of, hops);
      const clients = ways.map(() => new Client(world));
      const allowed = (way: Way): Way => (allowedWays.includes(way) ? way : allowedWays[0]!);
      try {
        await play(
          world,
          clients,
          steps.map((each) => (each.do === 'read' ? { ...each, way: allowed(each.way) } : each)),
        );
        await settle();
        if (anew) world.leave();
        await world.recover();
        await clients[0]!.read(allowed('wait'), limit);
        // What happens while there is no stream shows when it is opened again.
        world.log.append(0);
        await pass(RECONNECTED_MS);
        await Promise.all(clients.map((client, index) => client.drain(allowed(ways[index]!), limit)));
        expectNothingLost(of, world, clients);
      } finally {
        world.leave();
        await settle();
      }
      expect({ timers: jest.getTimerCount(), streams: world.streams.openCount }).toEqual({ timers: 0, streams: 0 });
    },
  );

describe('every event is delivered exactly once to clients that', () => {
  it.each<[string, readonly Way[], number]>([
    ['wait over one follower', ['wait'], 3000],
    ['wait and poll with one cursor', ['wait', 'poll'], 3000],
  ])('%s', async (_, ways, numRuns) => {
    await fc.assert(losesNothing(ways), { numRuns });
  });
});

describe('a backlog', () => {
  /** About as long as a follower keeps at most. */
  const length = fc.integer({ min: 860, max: 920 });

  it('longer than what is kept is read to the end by clients that wait', async () => {
    const property = fc.asyncProperty(length, fc.integer({ min: 0, max: 20_000 }), async (count, gapMicros) => {
      const world = new World(ORDERLY, 1);
      Array.from({ length: count }, () => world.log.append(gapMicros));
      const clients = [new Client(world), new Client(world), new Client(world)];
      await clients[0]!.read('wait', 500, 0.5);
      await Promise.all(clients.map((client, index) => client.drain('wait', 200 + index * 100)));
      Array.from({ length: count }, () => world.log.append(gapMicros));
      await settle();
      await Promise.all(clients.map((client) => client.drain('wait', 500)));
      expectNothingLost(ORDERLY, world, clients);
      world.leave();
    });
    await fc.assert(property, { numRuns: 8 });
  });
});

/** The inside of a CachedLog, which the variants below break. */
interface Inside {
  readonly source: FetchPage;
  cursor: EventCursor | undefined;
  floor: number | undefined;
  clear(): void;
  keep(events: readonly LogEvent[]): void;
  readFrom(since: EventCursor): Promise<void>;
}
/** What a SessionFollower knows of its stream. */
interface Outside {
  connected: boolean;
  nextNotice: NodeJS.Timeout | undefined;
}
const insideOf = (prototype: object) => prototype as Record<string, (...args: any[]) => any>;

const broken = {
  'keeps nothing that one of its readers has seen': () =>
    jest.spyOn(CachedLog.prototype, 'startAt').mockImplementation(async function (this: Inside, since) {
      this.clear();
      this.floor = since.from;
      await this.readFrom(since);
    }),
  'forgets that it has dropped events': () =>
    jest.spyOn(CachedLog.prototype, 'covers').mockImplementation(function (this: Inside) {
      return this.cursor !== undefined;
    }),
  'takes the beginning of a long backlog for all of it': () =>
    jest.spyOn(insideOf(CachedLog.prototype), 'readFrom').mockImplementation(async function (
      this: Inside,
      since: EventCursor,
    ) {
      const { events } = await readEvents(this.source, { since, limit: 4 });
      this.cursor = { ...advance(since, events), from: Number.MAX_SAFE_INTEGER };
      this.keep(events);
    }),
  'does not read again after the stream was opened anew': () =>
    jest.spyOn(SessionFollower.prototype, 'opened').mockImplementation(function (this: Outside) {
      this.connected = true;
      clearTimeout(this.nextNotice);
      this.nextNotice = undefined;
    }),
  'does not read again after a frame': () =>
    jest.spyOn(CachedRead.prototype, 'expire').mockImplementation(() => undefined),
  'lets two readings run at the same time': () =>
    jest
      .spyOn(insideOf(SessionFollower.prototype), 'exclusively')
      .mockImplementation((work: () => Promise<void>) => work()),
};

describe('the property finds a follower that', () => {
  it.each(Object.entries(broken))('%s', async (_, breakIt) => {
    breakIt();
    const details = await fc.check(losesNothing(['wait', 'poll']), { seed: 42, numRuns: 2000, endOnFailure: true });
    expect(details.failed).toBe(true);
    expect(String(details.errorInstance)).toMatch(/toEqual|no progress/);
  });
});
