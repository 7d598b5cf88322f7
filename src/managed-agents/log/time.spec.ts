import fc from 'fast-check';
import { formatTime, parseTime } from './time.js';

describe('parseTime', () => {
  it.each([
    ['1970-01-01T00:00:00Z', 0],
    ['2026-08-17T16:21:33.262700Z', 1_786_983_693_262_700],
    ['2026-08-17t16:21:33.2627z', 1_786_983_693_262_700],
    ['2026-08-17T16:21:33.262700999Z', 1_786_983_693_262_700],
    ['2026-08-17T18:21:33.262700+02:00', 1_786_983_693_262_700],
    ['2026-08-17T10:51:33.262700-05:30', 1_786_983_693_262_700],
    ['2024-02-29T00:00:00Z', 1_709_164_800_000_000],
  ])('reads %s', (text, micros) => {
    expect(parseTime(text)).toBe(micros);
  });

  it.each([
    ['a date', '2026-08-17'],
    ['a time without a zone', '2026-08-17T16:21:33'],
    ['a dot without digits', '2026-08-17T16:21:33.Z'],
    ['ten fractional digits', '2026-08-17T16:21:33.0123456789Z'],
    ['30 February', '2026-02-30T00:00:00Z'],
    ['month 13', '2026-13-01T00:00:00Z'],
    ['hour 24', '2026-08-17T24:00:00Z'],
    ['an offset of 24 hours', '2026-08-17T16:21:33+24:00'],
    ['an offset of 60 minutes', '2026-08-17T16:21:33+01:60'],
    ['an offset without a colon', '2026-08-17T16:21:33+0200'],
    ['a space around it', ' 2026-08-17T16:21:33Z'],
    ['a line after it', '2026-08-17T16:21:33Z\n'],
    ['a time before 1970', '1969-12-31T23:59:59Z'],
    ['a time too late for exact microseconds', '2256-01-01T00:00:00Z'],
    ['nothing', ''],
  ])('refuses %s', (_, text) => {
    expect(parseTime(text)).toBeUndefined();
  });

  it('reads every microsecond back as it was written', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 9_000_000_000_000_000 }), (micros) => {
        expect(parseTime(formatTime(micros))).toBe(micros);
      }),
      { numRuns: 500 },
    );
  });
});

describe('formatTime', () => {
  it('writes six fractional digits, as the API does', () => {
    expect(formatTime(1_786_983_693_000_007)).toBe('2026-08-17T16:21:33.000007Z');
  });
});
