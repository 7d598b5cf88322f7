import fc from 'fast-check';
import { fitToSize, truncate, truncateMiddle, truncateStrings } from './truncate.js';

const text = () => fc.string({ unit: 'grapheme', maxLength: 300 });

describe('truncate', () => {
  it('leaves short texts alone and says how much of a long one is missing', () => {
    expect(truncate('short', 5)).toBe('short');
    expect(truncate('longer', 5)).toBe('longe…[truncated 1 chars]');
  });

  it('never splits a surrogate pair', () => {
    expect(truncate('ab😀cd', 3)).toBe('ab…[truncated 4 chars]');
    fc.assert(
      fc.property(text(), fc.nat(300), (value, max) => {
        const cut = truncate(value, Math.max(1, max));
        expect(!/[\ud800-\udbff](?![\udc00-\udfff])/.test(cut)).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });

  it('keeps the beginning and accounts for every character', () => {
    fc.assert(
      fc.property(text(), fc.integer({ min: 1, max: 300 }), (value, max) => {
        const cut = truncate(value, max);
        if (value.length <= max) return cut === value;
        const [, kept = '', missing] = /^([\s\S]*)…\[truncated (\d+) chars\]$/.exec(cut) ?? [];
        return value.startsWith(kept) && kept.length + Number(missing) === value.length && kept.length <= max;
      }),
      { numRuns: 1000 },
    );
  });
});

describe('truncateMiddle', () => {
  it('keeps both ends and splits no surrogate pair', () => {
    expect(truncateMiddle('abcdefghij', 6)).toBe('abcd…[truncated 4 chars]ij');
    fc.assert(
      fc.property(text(), fc.integer({ min: 3, max: 300 }), (value, max) => {
        const cut = truncateMiddle(value, max);
        expect(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/.test(cut)).toBe(false);
        expect(cut.endsWith(value.slice(-1))).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('truncateStrings', () => {
  it('never cuts what the next call needs', () => {
    const handles = {
      id: 'x'.repeat(200),
      session_id: 'y'.repeat(200),
      event_ids: ['z'.repeat(200)],
      next_page: 'p'.repeat(200),
    };
    expect(truncateStrings({ ...handles, text: 't'.repeat(50) }, 30)).toEqual({
      ...handles,
      text: `${'t'.repeat(30)}…[truncated 20 chars]`,
    });
  });

  it('is not fooled by a long text under the name of an id', () => {
    expect(truncateStrings({ my_id: 'x'.repeat(5000) }, 10)).toEqual({
      my_id: `${'x'.repeat(10)}…[truncated 4990 chars]`,
    });
  });
});

describe('fitToSize', () => {
  it('changes nothing that fits', () => {
    const value = { list: [1, 'two', null], nested: { three: true } };
    expect(fitToSize(value, 1000)).toEqual({ value, json: JSON.stringify(value) });
  });

  it('gives a value whose JSON is never longer than asked for, or nothing', () => {
    const json = fc.dictionary(text(), fc.oneof(text(), fc.array(text(), { maxLength: 20 }), fc.integer()), {
      maxKeys: 30,
    });
    fc.assert(
      fc.property(json, fc.integer({ min: 100, max: 5000 }), (value, max) => {
        const fitting = fitToSize(value, max);
        if (!fitting) return JSON.stringify(truncateStrings(value, 30)).length > max;
        return fitting.json.length <= max && fitting.json === JSON.stringify(fitting.value);
      }),
      { numRuns: 1000 },
    );
  });
});
