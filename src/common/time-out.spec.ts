import { within } from './time-out.js';

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

const never = new Promise<string>(() => undefined);

it.each([
  ['done in time', Promise.resolve('done')],
  ['nothing to wait for', undefined],
])('%s: the result of the work, and no timer is left', async (_what, work) => {
  expect(await within(1000, work, 'late')).toBe(await work);
  expect(jest.getTimerCount()).toBe(0);
});

it('a failure in time is passed on, and no timer is left', async () => {
  await expect(within(1000, Promise.reject(new Error('broken')))).rejects.toThrow('broken');
  expect(jest.getTimerCount()).toBe(0);
});

it('too late: what was said for it', async () => {
  const result = within(1000, never, 'late');
  await jest.advanceTimersByTimeAsync(1000);
  expect(await result).toBe('late');
});
