import fc from 'fast-check';
import { contentOf, newestFirst, oldestFirst, type Place, placeOf, positionOf } from './approval-position.js';

const place: fc.Arbitrary<Place> = fc.record({
  time: fc.maxSafeNat(),
  tieBreak: fc.nat({ max: 2 ** 48 - 1 }),
});
const position = fc.record({ session: place, call: place }, { requiredKeys: ['session'] });

describe('the content of a page token', () => {
  it('reads back as the position it was written from', () => {
    fc.assert(
      fc.property(position, (value) => {
        expect(positionOf(JSON.parse(JSON.stringify(contentOf(value))))).toEqual(value);
      }),
      { numRuns: 1000 },
    );
  });

  it.each([undefined, null, 'page', {}, [], [1], ['1', '2'], [1.5, 2]])('is not %j', (content) => {
    expect(positionOf(content)).toBeUndefined();
  });
});

describe('places', () => {
  it('are in one order, however they were shuffled, and differ by id when the time is the same', () => {
    const ids = fc.uniqueArray(fc.string({ minLength: 1 }), { minLength: 2, maxLength: 20 });
    fc.assert(
      fc.property(ids, fc.array(fc.nat(2), { minLength: 20, maxLength: 20 }), (names, times) => {
        const places = names.map((name, index) => placeOf(name, times[index] ?? 0));
        for (const order of [newestFirst, oldestFirst]) {
          const sorted = [...places].sort(order);
          expect([...places].reverse().sort(order)).toEqual(sorted);
          for (let index = 1; index < sorted.length; index++) {
            expect(order(sorted[index - 1]!, sorted[index]!)).toBeLessThan(0);
          }
        }
      }),
    );
  });

  it('of sessions begin with the newest, those of calls with the oldest', () => {
    const [early, late] = [placeOf('a', 1), placeOf('a', 2)];
    expect([early, late].sort(newestFirst)).toEqual([late, early]);
    expect([late, early].sort(oldestFirst)).toEqual([early, late]);
  });
});
