import { getEventListeners } from 'node:events';
import { WaitingTime } from './waiting-time.js';

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

const signals = () => ({ cancelled: new AbortController(), draining: new AbortController() });
const waitingTime = ({ cancelled, draining }: ReturnType<typeof signals>) =>
  new WaitingTime(1000, cancelled.signal, draining.signal);
const never = new Promise<string>(() => undefined);

it.each([
  ['timeout', () => jest.advanceTimersByTime(1000)],
  ['cancelled', (by: ReturnType<typeof signals>) => by.cancelled.abort()],
  ['draining', (by: ReturnType<typeof signals>) => by.draining.abort()],
])('ends by %s', async (end, endIt) => {
  const by = signals();
  const time = waitingTime(by);
  expect(time.end).toBeUndefined();
  const waiting = time.until(never);
  endIt(by);
  expect(await waiting).toBeUndefined();
  expect(time.end).toBe(end);
  expect(time.over.signal.aborted).toBe(true);
  time.dispose();
});

it.each(['cancelled', 'draining'] as const)('has ended before it began when it is already %s', async (end) => {
  const by = signals();
  by[end].abort();
  const time = waitingTime(by);
  expect(time.end).toBe(end);
  expect(await time.until(never)).toBeUndefined();
  time.dispose();
});

it('keeps the first reason to end', () => {
  const by = signals();
  const time = waitingTime(by);
  by.draining.abort();
  by.cancelled.abort();
  jest.advanceTimersByTime(5000);
  expect(time.end).toBe('draining');
  time.dispose();
});

it('gives the outcome of work that ends before, and passes its failure on', async () => {
  const time = waitingTime(signals());
  expect(await time.until(Promise.resolve('done'))).toBe('done');
  await expect(time.until(Promise.reject(new Error('failed')))).rejects.toThrow('failed');
  time.dispose();
});

it('leaves work that fails afterwards to itself', async () => {
  const by = signals();
  const time = waitingTime(by);
  let fail: (error: Error) => void = () => undefined;
  const waiting = time.until(new Promise((_, reject) => (fail = reject)));
  by.cancelled.abort();
  expect(await waiting).toBeUndefined();
  fail(new Error('too late'));
  time.dispose();
});

it('leaves no timer and no listener, and sends home who still pauses', () => {
  const by = signals();
  const time = waitingTime(by);
  time.dispose();
  expect(jest.getTimerCount()).toBe(0);
  expect([by.cancelled, by.draining].flatMap(({ signal }) => getEventListeners(signal, 'abort'))).toEqual([]);
  expect(time.over.signal.aborted).toBe(true);
  expect(time.end).toBeUndefined();
});
