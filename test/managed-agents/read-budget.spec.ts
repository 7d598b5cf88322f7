import { getEventListeners } from 'node:events';
import fc from 'fast-check';
import { ReadBudget } from '../../src/managed-agents/follow/read-budget.js';
import { pass, settle, useVirtualTime } from '../support/virtual-time.js';

beforeAll(useVirtualTime);
afterAll(() => {
  jest.useRealTimers();
});

const MINUTE_MS = 60_000;

it('allows a minute of requests at once, and never more than that beside what is refilled, in any minute', async () => {
  const property = fc.asyncProperty(
    fc.integer({ min: 1, max: 60 }),
    fc.array(fc.tuple(fc.integer({ min: 0, max: 15 }), fc.integer({ min: 0, max: 30_000 })), { maxLength: 6 }),
    async (perMinute, bursts) => {
      const budget = new ReadBudget(perMinute);
      const { signal } = new AbortController();
      const takenAt: number[] = [];
      for (const [count, before] of bursts) {
        await pass(before);
        for (let i = 0; i < count; i += 1) void budget.take(signal).then(() => takenAt.push(performance.now()));
      }
      const wanted = bursts.reduce((sum, [count]) => sum + count, 0);
      // All are served, at twice the time it takes at least: those who wait spread out.
      await pass(2 * (wanted / perMinute + 1) * MINUTE_MS);
      expect(takenAt).toHaveLength(wanted);
      for (const [index, at] of takenAt.entries()) {
        const within = takenAt.filter((other, i) => i >= index && other < at + MINUTE_MS);
        expect(within.length).toBeLessThanOrEqual(2 * perMinute);
      }
      expect(jest.getTimerCount()).toBe(0);
    },
  );
  await fc.assert(property, { numRuns: 60 });
});

it('serves a request at once while there is budget', async () => {
  const budget = new ReadBudget(3);
  const { signal } = new AbortController();
  let served = 0;
  for (let i = 0; i < 5; i += 1) void budget.take(signal).then(() => (served += 1));
  await settle();
  expect(served).toBe(3);
  await pass(MINUTE_MS);
  expect(served).toBe(5);
});

it('lets go whoever does not want to wait any more, at no cost', async () => {
  const budget = new ReadBudget(1);
  await budget.take(new AbortController().signal);
  const leave = new AbortController();
  let left = 0;
  for (let i = 0; i < 10; i += 1) void budget.take(leave.signal).then(() => (left += 1));
  await settle();
  leave.abort();
  await settle();
  expect({ left, timers: jest.getTimerCount(), listeners: getEventListeners(leave.signal, 'abort') }).toEqual({
    left: 10,
    timers: 0,
    listeners: [],
  });
  let served = false;
  void budget.take(new AbortController().signal).then(() => (served = true));
  await pass(2 * MINUTE_MS);
  expect(served).toBe(true);
});

describe('between callers', () => {
  it('the many requests of one do not delay those of another', async () => {
    const budget = new ReadBudget(60);
    const { signal } = new AbortController();
    for (let count = 0; count < 500; count += 1) void budget.take(signal, ['mallory']);
    await settle();
    const served: string[] = [];
    for (const request of ['first', 'second', 'third']) {
      void budget.take(signal, ['alice']).then(() => served.push(request));
    }
    // One request is refilled each second, and the callers take turns.
    await pass(1100);
    expect(served).toEqual(['first']);
    await pass(4000);
    expect(served).toEqual(['first', 'second', 'third']);
    await pass(10 * MINUTE_MS);
  });

  it('a request for several is one of the caller that was served least recently', async () => {
    const budget = new ReadBudget(60);
    const { signal } = new AbortController();
    for (let count = 0; count < 500; count += 1) void budget.take(signal, ['mallory']);
    await pass(5000);
    let served = false;
    void budget.take(signal, ['mallory', 'alice']).then(() => (served = true));
    await pass(1100);
    expect(served).toBe(true);
    await pass(10 * MINUTE_MS);
  });
});
