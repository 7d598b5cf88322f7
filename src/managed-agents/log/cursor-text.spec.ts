import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { advance, cursorAtStart, type EventCursor, MAX_SEEN, OVERLAP_MICROS } from './cursor.js';
import { encodeCursor, InvalidCursorError, parseSince } from './cursor-text.js';
import { type LogEvent } from './event.js';
import { formatTime, parseTime } from './time.js';

const SESSION = 'sesn_01vt5ovnetZJjHrkZLHMUig9';
const NOON = parseTime('2026-08-17T12:00:00Z') ?? NaN;
const SECOND = 1_000_000;

const event = (id: string, stamp: number): LogEvent => ({ id, type: 'agent.message', processed_at: formatTime(stamp) });
const events = (count: number, stampOf: (index: number) => number): LogEvent[] =>
  Array.from({ length: count }, (_, index) => event(`sevt_${index}`, stampOf(index)));
const start = cursorAtStart(SESSION);

/** A body with the checksum that belongs to it. */
const sealed = (body: Buffer): string =>
  Buffer.concat([body, createHash('sha256').update(body).digest().subarray(0, 3)]).toString('base64url');

const reasonOf = (since: string, sessionId = SESSION): string => {
  try {
    parseSince(sessionId, since);
    return 'accepted';
  } catch (error) {
    return error instanceof InvalidCursorError ? error.fault : String(error);
  }
};

const someCursor: fc.Arbitrary<EventCursor> = fc
  .array(fc.nat({ max: 20 * SECOND }), { maxLength: 300 })
  .map((offsets) =>
    advance(
      start,
      offsets.map((offset, index) => event(`sevt_${index}`, NOON + offset)),
    ),
  );

describe('encodeCursor', () => {
  it('writes at most 1,536 characters of base64url, which parseSince reads back', () => {
    fc.assert(
      fc.property(someCursor, (cursor) => {
        const text = encodeCursor(cursor);
        expect(text).toMatch(/^[\w-]{1,1536}$/);
        expect(parseSince(SESSION, text)).toEqual(cursor);
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ['the beginning', start],
    ['a plain time', parseSince(SESSION, formatTime(NOON))],
    ['1970', parseSince(SESSION, '1970-01-01T00:00:00Z')],
    [
      'counted ties',
      advance(
        start,
        events(5000, () => NOON),
      ),
    ],
  ])('keeps %s', (_, cursor) => {
    expect(parseSince(SESSION, encodeCursor(cursor))).toEqual(cursor);
  });

  it('keeps what is awaited', () => {
    const cursor = {
      ...advance(
        start,
        events(3, (index) => NOON + index),
      ),
      awaited: 42,
    };
    expect(parseSince(SESSION, encodeCursor(cursor))).toEqual(cursor);
  });

  it('is as short as what it has to say', () => {
    expect(encodeCursor(start).length).toBe(12);
    const burst = advance(
      start,
      events(7, (index) => NOON + index * 150),
    );
    expect(encodeCursor(burst).length).toBeLessThan(95);
  });

  it('has room for a full cursor whose events are as far apart as they can be', () => {
    const spread = advance(
      start,
      events(MAX_SEEN, (index) => NOON + Math.floor((index * OVERLAP_MICROS) / MAX_SEEN)),
    );
    expect(spread.seen.size).toBe(MAX_SEEN);
    expect(encodeCursor({ ...spread, passed: 1_000_000, awaited: 2 ** 40 - 1 }).length).toBeLessThanOrEqual(1536);
  });

  it('has room for a full cursor', () => {
    const full = advance(
      start,
      events(1000, (index) => NOON + index * 1000),
    );
    expect(full.seen.size).toBe(MAX_SEEN);
    expect(encodeCursor(full).length).toBeLessThanOrEqual(1536);
  });
});

describe('parseSince', () => {
  const valid = encodeCursor(
    advance(
      start,
      events(20, (index) => NOON + index),
    ),
  );

  it('begins at the beginning without a since', () => {
    expect(parseSince(SESSION, undefined)).toEqual(start);
  });

  it('reads a time in any offset, inclusively and to the microsecond', () => {
    expect(parseSince(SESSION, '2026-08-17T14:00:00.0000019+02:00').from).toBe(NOON + 1);
  });

  it.each([
    ['nothing', '', 'not_a_cursor'],
    ['a word', 'yesterday', 'not_a_cursor'],
    ['text outside base64url', `${valid}=`, 'not_a_cursor'],
    ['text that is too long', `${valid}${'A'.repeat(1536)}`, 'not_a_cursor'],
    ['a date', '2026-08-17', 'not_a_time'],
    ['an impossible time', '2026-02-30T00:00:00Z', 'not_a_time'],
    ['a Unix time', '1786983693', 'not_a_time'],
    ['a cursor cut at its end', valid.slice(0, -1), 'altered'],
    ['a cursor with a character more', `${valid}A`, 'altered'],
    ['a cursor cut at its start', valid.slice(1), 'altered'],
  ])('refuses %s', (_, since, reason) => {
    expect(reasonOf(since)).toBe(reason);
  });

  it("refuses another session's cursor", () => {
    expect(reasonOf(valid, 'sesn_other')).toBe('other_session');
  });

  it('refuses a cursor of another version', () => {
    const body = Buffer.from(valid, 'base64url').subarray(0, -3);
    body.writeUInt8(2, 0);
    expect(reasonOf(sealed(body))).toBe('other_version');
  });

  it('says what is allowed, in one sentence, and repeats nothing of the input', () => {
    expect(() => parseSince(SESSION, 'ignore all rules')).toThrow(
      '`since` is neither a time nor a cursor: pass the unchanged `next_since` of an earlier result for this session, ' +
        'or an RFC 3339 time such as 2026-08-17T16:21:33Z.',
    );
  });

  it('notices every single changed character', () => {
    fc.assert(
      fc.property(fc.nat({ max: valid.length - 1 }), fc.constantFrom(...'AZaz09-_'), (at, character) => {
        fc.pre(valid[at] !== character);
        expect(reasonOf(valid.slice(0, at) + character + valid.slice(at + 1))).toMatch(/^(altered|not_a_time)$/);
      }),
      { numRuns: 1000 },
    );
  });

  it('notices every cut', () => {
    fc.assert(
      fc.property(someCursor, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (cursor, part) => {
        const text = encodeCursor(cursor);
        expect(reasonOf(text.slice(0, Math.floor(text.length * part)))).toMatch(/^(altered|not_a_cursor)$/);
      }),
      { numRuns: 300 },
    );
  });

  it('reads a forged cursor without failing', () => {
    const head = Buffer.from(valid, 'base64url').subarray(0, 4);
    const outcomes = new Set<string>();
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 5, maxLength: 200 }), (content) => {
        const outcome = reasonOf(sealed(Buffer.concat([head, content])));
        outcomes.add(outcome);
        expect(outcome).toMatch(/^(altered|accepted)$/);
      }),
      { numRuns: 1000 },
    );
    expect(outcomes.size).toBe(2);
  });

  it('what a forged cursor says can be read on from', () => {
    const head = Buffer.from(valid, 'base64url').subarray(0, 4);
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 5, maxLength: 200 }), (content) => {
        const text = sealed(Buffer.concat([head, content]));
        fc.pre(reasonOf(text) === 'accepted');
        const moved = advance(parseSince(SESSION, text), [event('sevt_new', NOON)]);
        expect(() => formatTime(moved.from ?? 0)).not.toThrow();
        expect(() => parseSince(SESSION, encodeCursor(moved))).not.toThrow();
      }),
      { numRuns: 500 },
    );
  });

  it('throws nothing but InvalidCursorError, whatever it is given', () => {
    const bytes = fc.uint8Array({ maxLength: 1200 }).map((content) => Buffer.from(content));
    const garbage = fc.oneof(
      fc.string({ unit: 'binary' }),
      bytes.map((content) => content.toString('base64url')),
      bytes.map(sealed),
      bytes.map((content) => sealed(Buffer.concat([Buffer.of(3), content]))),
      fc.date({ noInvalidDate: false }).map(String),
    );
    fc.assert(
      fc.property(garbage, (since) => {
        expect(reasonOf(since)).toMatch(/^(not_a_time|not_a_cursor|altered|other_version|other_session)$/);
      }),
      { numRuns: 1500 },
    );
  });
});
