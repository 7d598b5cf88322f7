import { eventually } from './eventually.js';

it('returns the first value that is the expected one', async () => {
  let count = 0;
  expect(
    await eventually(
      'the count',
      () => ++count,
      (seen) => seen === 3,
      { everyMs: 1 },
    ),
  ).toBe(3);
});

it('rejects at the deadline with the last value', async () => {
  const read = () => ({ status: 503 });
  await expect(
    eventually('ready', read, ({ status }) => status === 200, { deadlineMs: 20, everyMs: 1 }),
  ).rejects.toThrow('ready: not within 20 ms. Last value: { status: 503 }');
});

it('rejects at the deadline when a read hangs', async () => {
  let reads = 0;
  const read = () => (++reads === 1 ? Promise.resolve(1) : new Promise<number>(() => undefined));
  await expect(eventually('an answer', read, () => false, { deadlineMs: 50, everyMs: 1 })).rejects.toThrow(
    'an answer: not within 50 ms. Last value: 1',
  );
});

it('waits in real time while timers are fake', async () => {
  jest.useFakeTimers();
  let count = 0;
  expect(
    await eventually(
      'the count',
      () => ++count,
      (seen) => seen > 2,
      { everyMs: 1 },
    ),
  ).toBe(3);
  jest.useRealTimers();
});
