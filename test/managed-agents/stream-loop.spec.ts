import { getEventListeners } from 'node:events';
import { ApiError } from '../../src/managed-agents/api-error.js';
import { type LogSource } from '../../src/managed-agents/follow/stream-loop.js';
import { ReadBudget } from '../../src/managed-agents/follow/read-budget.js';
import { keepStreaming } from '../../src/managed-agents/follow/stream-loop.js';
import { type LogEvent } from '../../src/managed-agents/log/event.js';
import { FakeStreams } from '../support/fake-streams.js';
import { pass, settle, useVirtualTime } from '../support/virtual-time.js';

beforeAll(useVirtualTime);
afterAll(() => {
  jest.useRealTimers();
});

const refusal = (status: number, retryAfterSeconds?: number) =>
  new ApiError({ kind: 'status', operation: 'sessions.events.stream', status, retryAfterSeconds });
const frame = (type = 'agent.message'): LogEvent => ({ id: 'sevt_1', type });

let streams: FakeStreams;
let end: AbortController;
let ended: boolean;
/** What the observer was told, and when, in ms. */
let told: { what: string; at: number }[];
let startedAt: number;

beforeEach(() => {
  streams = new FakeStreams();
});
afterEach(async () => {
  end.abort();
  await settle();
  expect({
    ended,
    timers: jest.getTimerCount(),
    streams: streams.openCount,
    listeners: getEventListeners(end.signal, 'abort').length,
  }).toEqual({ ended: true, timers: 0, streams: 0, listeners: 0 });
});

function keep(open: LogSource['open'] = streams.open, budget = new ReadBudget(1000)): void {
  end = new AbortController();
  told = [];
  startedAt = performance.now();
  ended = false;
  const tell = (what: string) => told.push({ what, at: Math.round(performance.now() - startedAt) });
  const observer = {
    opened: () => tell('opened'),
    frame: ({ type }: LogEvent) => tell(type),
    lost: () => tell('lost'),
  };
  const source: LogSource = { open, fetchPage: () => Promise.reject(new Error('nobody lists here')) };
  void keepStreaming(source, budget, observer, end.signal).then(() => (ended = true));
}

const whatWasTold = () => told.map(({ what }) => what);
/** The pauses between attempts that fail, in ms. */
const pauses = () => {
  const lost = told.filter(({ what }) => what === 'lost').map(({ at }) => at);
  return lost.slice(1).map((at, index) => at - (lost[index] ?? 0));
};

it('passes frames on in their order', async () => {
  keep();
  await settle();
  streams.emit(frame('a'));
  streams.emit(frame('b'));
  await settle();
  expect(whatWasTold()).toEqual(['opened', 'a', 'b']);
});

it('pauses twice as long after each attempt that fails, up to ten seconds, less up to a quarter', async () => {
  streams.refusal = refusal(500);
  keep();
  await pass(60_000);
  const full = [500, 1000, 2000, 4000, 8000, 10_000, 10_000];
  for (const [index, ms] of full.entries()) {
    expect(pauses()[index]).toBeGreaterThanOrEqual(0.75 * ms - 1);
    expect(pauses()[index]).toBeLessThanOrEqual(ms + 1);
  }
  expect(new Set(pauses().slice(-3)).size).toBeGreaterThan(1);
});

it.each([
  [3, 3000],
  [60, 60_000],
  [3600, 60_000],
])('waits for the %d seconds it was told, at most a minute', async (seconds, ms) => {
  streams.refusal = refusal(429, seconds);
  keep();
  await pass(ms - 100);
  expect(told).toHaveLength(1);
  streams.refusal = undefined;
  await pass(200);
  expect(whatWasTold()).toEqual(['lost', 'opened']);
});

it('begins with short pauses again after a frame, and only then', async () => {
  streams.refusal = refusal(500);
  keep();
  await pass(30_000);
  streams.refusal = undefined;
  await pass(10_000);
  expect(streams.openCount).toBe(1);
  streams.cut();
  await pass(2000);
  expect(streams.openCount).toBe(0);
  await pass(8000);
  expect(streams.openCount).toBe(1);
  streams.emit(frame());
  await settle();
  streams.cut(new Error('terminated'));
  await pass(501);
  expect(streams.openCount).toBe(1);
});

it('takes a stream for broken that shows nothing for 90 seconds', async () => {
  keep();
  await pass(80_000);
  streams.emit(frame());
  await pass(89_900);
  expect(whatWasTold()).toEqual(['opened', 'agent.message']);
  await pass(200);
  expect(whatWasTold()).toEqual(['opened', 'agent.message', 'lost']);
  await pass(600);
  expect({ open: streams.openCount, opened: streams.opened }).toEqual({ open: 1, opened: 2 });
});

it('gives up an attempt that is never answered', async () => {
  keep((signal) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(refusal(499)))));
  await pass(90_001);
  expect(whatWasTold()).toEqual(['lost']);
});

it('passes nothing on that is no event', async () => {
  keep();
  await settle();
  for (const garbage of [null, undefined, 5, 'text', [], {}, { type: 7 }, { type: null }])
    streams.emit(garbage as unknown as LogEvent);
  streams.emit(frame());
  await settle();
  expect(whatWasTold()).toEqual(['opened', 'agent.message']);
});

it('asks for its budget before each attempt', async () => {
  streams.refusal = refusal(500);
  keep(streams.open, new ReadBudget(2));
  await pass(20_000);
  expect(told).toHaveLength(2);
  await pass(60_000);
  expect(told.length).toBeGreaterThan(2);
});

describe('ended', () => {
  it('while it opens, it closes what was opened nevertheless', async () => {
    let answer: () => void = () => undefined;
    const asked = new Promise<void>((resolve) => (answer = resolve));
    keep(async (signal) => {
      await asked;
      return streams.open(signal);
    });
    await settle();
    end.abort();
    answer();
    await settle();
    expect(streams.openCount).toBe(0);
  });

  it.each<[string, () => Promise<void>]>([
    ['while it streams', settle],
    [
      'while it pauses',
      async () => {
        await settle();
        streams.cut();
        await pass(100);
      },
    ],
    [
      'while it waits for its budget',
      async () => {
        await pass(100);
        for (let i = 0; i < 5; i += 1) {
          streams.cut();
          await pass(10_000);
        }
      },
    ],
  ])('%s, it tells nothing more', async (_, until) => {
    keep(streams.open, new ReadBudget(3));
    await until();
    const before = told.length;
    end.abort();
    streams.emit(frame());
    await pass(200_000);
    expect(told).toHaveLength(before);
  });
});
