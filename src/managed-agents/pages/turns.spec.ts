import { Turn, Turns } from './turns.js';

const never = new AbortController().signal;

/** Takes a turn for each name, and notes who got one in which order. */
function takers(turns: Turns, names: readonly string[]) {
  const got: string[] = [];
  const taken = names.map((name) => turns.take(never).then(() => got.push(name)));
  return { got, all: Promise.all(taken) };
}

it('gives as many places as there are, and then one for each that is given back, in order', async () => {
  const turns = new Turns(2);
  const { got, all } = takers(turns, ['a', 'b', 'c', 'd']);
  await new Promise(setImmediate);
  expect(got).toEqual(['a', 'b']);
  turns.giveBack();
  await new Promise(setImmediate);
  expect(got).toEqual(['a', 'b', 'c']);
  turns.giveBack();
  await all;
  expect(got).toEqual(['a', 'b', 'c', 'd']);
});

it('passes over who has given up', async () => {
  const turns = new Turns(1);
  await turns.take(never);
  const impatient = new AbortController();
  const given = turns.take(impatient.signal);
  const { all } = takers(turns, ['patient']);
  impatient.abort(new Error('no more'));
  await expect(given).rejects.toThrow('no more');
  await expect(turns.take(impatient.signal)).rejects.toThrow('no more');
  turns.giveBack();
  await expect(all).resolves.toEqual([1]);
});

it('is taken once by one piece of work, and given back once', async () => {
  const turns = new Turns(1);
  const turn = new Turn(turns);
  await turn.take(never);
  await turn.take(never);
  turn.end();
  turn.end();
  const { got, all } = takers(turns, ['a', 'b']);
  await new Promise(setImmediate);
  expect(got).toEqual(['a']);
  turns.giveBack();
  await all;
});
