import { QueuedSink } from './queued-sink.js';

it('keeps a bounded number of undelivered lines, is not ready meanwhile, and delivers them in order', async () => {
  let up = false;
  const delivered: string[] = [];
  const sink = new QueuedSink('test', (lines) => {
    if (!up) return Promise.reject(new Error('away'));
    delivered.push(...lines);
    return Promise.resolve();
  });
  expect(sink.ready).toBe(true);
  const taken = Array.from({ length: 100 }, (_, count) => sink.write(`${count}`.padEnd(100_000)));
  expect(taken.filter(Boolean)).toHaveLength(80);
  await new Promise(setImmediate);
  expect(sink.ready).toBe(false);
  up = true;
  expect(await sink.close(5000)).toEqual([]);
  expect(delivered.map(Number)).toEqual(Array.from({ length: 80 }, (_, index) => index));
  expect(sink.ready).toBe(true);
});

it('delays the shutdown for a bounded time', async () => {
  jest.useFakeTimers();
  const sink = new QueuedSink('test', () => new Promise(() => undefined));
  sink.write('never delivered');
  const closed = sink.close(5000);
  await jest.advanceTimersByTimeAsync(5000);
  expect(await closed).toEqual(['never delivered']);
  jest.useRealTimers();
});

it('flushes until everything is delivered or one attempt, made without a pause, has failed', async () => {
  let up = false;
  let attempts = 0;
  const sink = new QueuedSink('test', () => (attempts++, up ? Promise.resolve() : Promise.reject(new Error('away'))));
  await sink.flush(60_000);
  expect(attempts).toBe(0);
  sink.write('one');
  await sink.flush(60_000);
  expect([attempts, sink.ready]).toEqual([1, false]);
  await sink.flush(60_000);
  expect([attempts, sink.ready]).toEqual([2, false]);
  up = true;
  await sink.flush(60_000);
  expect([attempts, sink.ready]).toEqual([3, true]);
});
