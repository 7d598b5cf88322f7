import { MAX_PAGE_BYTES, PageSize } from './event-pages.js';

it('asks for what is wanted while nothing else is known, and of small events', () => {
  const size = new PageSize();
  expect(size.fitting(1000)).toBe(1000);
  size.learn(200, 200_000);
  expect(size.fitting(1000)).toBe(1000);
});

it('asks for as many as should fit, and for more again when they become smaller', () => {
  const size = new PageSize();
  size.learn(10, 100_000);
  const fitting = size.fitting(1000);
  expect(fitting * 10_000).toBeLessThan(MAX_PAGE_BYTES);
  expect(fitting * 10_000).toBeGreaterThan(MAX_PAGE_BYTES / 2);
  size.learn(0, 20);
  expect(size.fitting(1000)).toBe(fitting);
  size.learn(100, 10_000);
  expect(size.fitting(1000)).toBe(1000);
});

it('asks for fewer each time a page was too large, and for one in the end', () => {
  const size = new PageSize();
  const asked = [1000];
  while (asked.at(-1)! > 1) {
    size.exceeded(asked.at(-1)!);
    asked.push(size.fitting(1000));
  }
  expect(asked).toEqual([1000, 15, 5, 1]);
});
