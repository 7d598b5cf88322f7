import { ReadPermit, ReadPermits } from './read-permits.js';

const never = new AbortController().signal;

/** Takes a permit for each name, and notes who got one in which order. */
function takers(permits: ReadPermits, names: readonly string[]) {
  const got: string[] = [];
  const taken = names.map((name) => permits.acquire(never).then(() => got.push(name)));
  return { got, all: Promise.all(taken) };
}

it('gives as many places as there are, and then one for each that is given back, in order', async () => {
  const permits = new ReadPermits(2);
  const { got, all } = takers(permits, ['a', 'b', 'c', 'd']);
  await new Promise(setImmediate);
  expect(got).toEqual(['a', 'b']);
  permits.release();
  await new Promise(setImmediate);
  expect(got).toEqual(['a', 'b', 'c']);
  permits.release();
  await all;
  expect(got).toEqual(['a', 'b', 'c', 'd']);
});

it('passes over who has given up', async () => {
  const permits = new ReadPermits(1);
  await permits.acquire(never);
  const impatient = new AbortController();
  const given = permits.acquire(impatient.signal);
  const { all } = takers(permits, ['patient']);
  impatient.abort(new Error('no more'));
  await expect(given).rejects.toThrow('no more');
  await expect(permits.acquire(impatient.signal)).rejects.toThrow('no more');
  permits.release();
  await expect(all).resolves.toEqual([1]);
});

it('is taken once by one piece of work, and given back once', async () => {
  const permits = new ReadPermits(1);
  const permit = new ReadPermit(permits);
  await permit.acquire(never);
  await permit.acquire(never);
  permit.release();
  permit.release();
  const { got, all } = takers(permits, ['a', 'b']);
  await new Promise(setImmediate);
  expect(got).toEqual(['a']);
  permits.release();
  await all;
});
