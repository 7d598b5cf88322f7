import { type EventLogService } from '../../src/managed-agents/event-log.service.js';
import { FollowService, TooManyStreamsError } from '../../src/managed-agents/follow/follow.service.js';
import { SessionStats } from '../../src/managed-agents/session-stats.js';
import { ApiError } from '../../src/managed-agents/api-error.js';
import { runRequest } from '../../src/context/request.js';
import { FakeStreams } from '../support/fake-streams.js';
import { pass, settle, useVirtualTime } from '../support/virtual-time.js';

beforeAll(useVirtualTime);
afterAll(() => {
  jest.useRealTimers();
});

let streams: Map<string, FakeStreams>;
let service: FollowService;
beforeEach(() => {
  streams = new Map();
  const source = (sessionId: string) => {
    const own = streams.get(sessionId) ?? new FakeStreams();
    streams.set(sessionId, own);
    return { open: own.open, fetchPage: () => Promise.resolve({ events: [] }) };
  };
  const log = { source } as unknown as EventLogService;
  service = new FollowService(
    log,
    { readsPerMinute: 1000, maxStreams: 2, maxWaitSeconds: 50, callTimeoutSeconds: 45 },
    new SessionStats(),
  );
});
afterEach(async () => {
  service.onApplicationShutdown();
  await settle();
  expect({ timers: jest.getTimerCount(), open: openStreams() }).toEqual({ timers: 0, open: [] });
});

const openStreams = () => [...streams].filter(([, { openCount }]) => openCount > 0).map(([sessionId]) => sessionId);

it('shares one stream among all who follow a session', async () => {
  const followings = ['a', 'a', 'a', 'b'].map((sessionId) => service.follow(sessionId));
  await settle();
  expect(service.load).toEqual({ streams: 2, polling: 0, waiters: 4 });
  expect(streams.get('a')?.opened).toBe(1);
  expect(followings[0]?.follower).toBe(followings[2]?.follower);
  expect(followings[0]?.follower).not.toBe(followings[3]?.follower);
});

it('keeps a stream for five seconds after the last one has left, and no longer', async () => {
  const [first, second] = [service.follow('a'), service.follow('a')];
  first.release('soon');
  await pass(20_000);
  expect(openStreams()).toEqual(['a']);
  second.release('soon');
  await pass(4900);
  expect(openStreams()).toEqual(['a']);
  await pass(200);
  expect({ open: openStreams(), load: service.load }).toEqual({
    open: [],
    load: { streams: 0, polling: 0, waiters: 0 },
  });
});

it('goes on with the same stream when somebody comes back in time', async () => {
  const before = service.follow('a');
  await settle();
  before.release('soon');
  await pass(3000);
  const after = service.follow('a');
  expect(after.follower).toBe(before.follower);
  await pass(10_000);
  expect(streams.get('a')).toMatchObject({ opened: 1, openCount: 1 });
});

it('releases a stream at once when the last one does not come back', async () => {
  const [first, second] = [service.follow('a'), service.follow('a')];
  await settle();
  first.release('at_once');
  await settle();
  expect(openStreams()).toEqual(['a']);
  second.release('at_once');
  await settle();
  expect({ open: openStreams(), load: service.load }).toEqual({
    open: [],
    load: { streams: 0, polling: 0, waiters: 0 },
  });
});

it('follows as many sessions as it may, and gives up one that nobody follows any more', async () => {
  const a = service.follow('a');
  service.follow('b');
  expect(() => service.follow('c')).toThrow(TooManyStreamsError);
  // Another one on a session that is followed already costs no stream.
  service.follow('b').release('soon');
  a.release('soon');
  service.follow('c');
  await settle();
  expect(openStreams().toSorted()).toEqual(['b', 'c']);
  expect(() => service.follow('a')).toThrow(/2 sessions/);
});

it('does not end the stream of another one who leaves late', async () => {
  const late = service.follow('a');
  service.onApplicationShutdown();
  service.follow('a');
  late.release('at_once');
  await settle();
  expect(service.load).toMatchObject({ streams: 1, waiters: 1 });
});

it('ends every stream when the server ends', async () => {
  service.follow('a');
  service.follow('b').release('soon');
  await settle();
  expect(openStreams()).toHaveLength(2);
  service.onApplicationShutdown();
  await settle();
  expect(openStreams()).toEqual([]);
});

describe('sessions that this process has never read', () => {
  const NEVER = new AbortController().signal;
  let reads: string[];
  let answers: (() => void)[];

  /** Lists that answer when the test says so: sessions whose id begins with `none` do not exist. */
  beforeEach(() => {
    reads = [];
    answers = [];
    const source = (sessionId: string) => ({
      open: new FakeStreams().open,
      fetchPage: async () => {
        reads.push(sessionId);
        await new Promise<void>((resolve) => answers.push(resolve));
        if (!sessionId.startsWith('none')) return { events: [] };
        throw new ApiError({ kind: 'status', operation: 'sessions.events.list', status: 404 });
      },
    });
    const settings = { readsPerMinute: 1000, maxStreams: 2, maxWaitSeconds: 50, callTimeoutSeconds: 45 };
    service = new FollowService({ source } as unknown as EventLogService, settings, new SessionStats());
  });

  const look = (caller: string, sessionId: string) =>
    runRequest({ caller }, () => service.requireExisting(sessionId, NEVER)).then(
      () => 'exists',
      (error: unknown) => (error instanceof ApiError ? error.details.status : error),
    );
  async function answerAll(): Promise<void> {
    for (let before = -1; before !== reads.length;) {
      before = reads.length;
      for (const answer of answers.splice(0)) answer();
      await settle();
    }
  }

  it('cost a caller one read at a time, and no other caller waits for them', async () => {
    const guesses = Array.from({ length: 40 }, (_, number) => look('mallory', `none_${number}`));
    const other = look('alice', 'sesn_a');
    await settle();
    expect(reads).toEqual(['none_0', 'sesn_a']);
    await answerAll();
    expect(await other).toBe('exists');
    expect(new Set(await Promise.all(guesses))).toEqual(new Set([404]));
    expect(reads).toHaveLength(41);
  });

  it('are read once, whether they exist or not', async () => {
    const first = [look('alice', 'sesn_a'), look('alice', 'none'), look('bob', 'none')];
    await settle();
    await answerAll();
    expect(await Promise.all(first)).toEqual(['exists', 404, 404]);
    const before = reads.length;
    expect(await Promise.all([look('bob', 'sesn_a'), look('bob', 'none')])).toEqual(['exists', 404]);
    expect(reads).toHaveLength(before);
  });
});
