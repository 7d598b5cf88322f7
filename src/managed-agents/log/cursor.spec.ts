import { createHash } from 'node:crypto';
import fc from 'fast-check';
import {
  advance,
  cursorAtStart,
  encodeCursor,
  type EventCursor,
  fingerprintOf,
  InvalidCursorError,
  MAX_SEEN,
  OVERLAP_MICROS,
  parseSince,
} from './cursor.js';
import { type LogEvent } from './event.js';
import { formatTime, parseTime } from './time.js';

const SESSION = 'sesn_01GuGWpFoC5zy8bwPaUPogbX';
const NOON = parseTime('2026-08-17T12:00:00Z') ?? NaN;
const SECOND = 1_000_000;

const event = (id: string, stamp: number): LogEvent => ({ id, type: 'agent.message', processed_at: formatTime(stamp) });
const events = (count: number, stampOf: (index: number) => number): LogEvent[] =>
  Array.from({ length: count }, (_, index) => event(`sevt_${index}`, stampOf(index)));
const start = cursorAtStart(SESSION);

const reasonOf = (since: string, sessionId = SESSION): string => {
  try {
    parseSince(sessionId, since);
    return 'accepted';
  } catch (error) {
    return error instanceof InvalidCursorError ? error.reason : String(error);
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

describe('advance', () => {
  it('reads again from 10 s before the latest delivered stamp, and names what was delivered since', () => {
    const old = event('sevt_old', NOON - OVERLAP_MICROS - 1);
    const near = event('sevt_near', NOON - OVERLAP_MICROS);
    const latest = event('sevt_latest', NOON);
    const cursor = advance(start, [old, near, latest]);
    expect(cursor.from).toBe(NOON - OVERLAP_MICROS);
    expect([...cursor.seen.keys()]).toEqual([fingerprintOf(near), fingerprintOf(latest)]);
  });

  it('never reads earlier than the time the caller asked for', () => {
    const cursor = advance(parseSince(SESSION, formatTime(NOON)), [event('sevt_1', NOON + 1)]);
    expect(cursor.from).toBe(NOON);
  });

  it('stays where it is when nothing was delivered, or only queued inputs were', () => {
    expect(advance(start, [])).toEqual(start);
    expect(advance(start, [{ id: 'sevt_1', type: 'user.message', processed_at: null }])).toEqual(start);
  });

  it('is not moved back by an event stamped late', () => {
    const before = advance(start, [event('sevt_1', NOON)]);
    const after = advance(before, [event('sevt_2', NOON - SECOND)]);
    expect(after.from).toBe(before.from);
    expect(after.seen.size).toBe(2);
  });

  it('moves the time forward until the delivered events fit', () => {
    const dense = events(MAX_SEEN + 1, (index) => NOON + index);
    const cursor = advance(start, dense);
    expect(cursor).toMatchObject({ from: NOON + 1, passed: 0 });
    expect(cursor.seen.size).toBe(MAX_SEEN);
  });

  it('leaves out a whole microsecond rather than a part of it', () => {
    const cursor = advance(start, [
      ...events(100, () => NOON),
      ...events(200, (i) => (i < 100 ? NOON : NOON + 1)).slice(100),
    ]);
    expect(cursor).toMatchObject({ from: NOON + 1, passed: 0 });
    expect(cursor.seen.size).toBe(100);
  });

  it('counts the delivered events when one microsecond has more of them than it can name', () => {
    const tied = events(MAX_SEEN + 9, () => NOON);
    const once = advance(start, tied);
    expect(once).toMatchObject({ from: NOON, passed: MAX_SEEN + 9 });
    const more = advance(once, [event('sevt_tied', NOON), event('sevt_later', NOON + 1)]);
    expect(more).toMatchObject({ from: NOON, passed: MAX_SEEN + 10 });
    expect(more.seen.size).toBe(1);
    expect(advance(more, [event('sevt_much_later', NOON + OVERLAP_MICROS)]).passed).toBe(MAX_SEEN + 10);
    expect(advance(more, [event('sevt_much_later', NOON + OVERLAP_MICROS + 1)]).passed).toBe(0);
  });

  it('tells interrupts apart that the API stored without an id', () => {
    const interrupt = (stamp: number): LogEvent => ({ ...event('', stamp), type: 'user.interrupt' });
    expect(advance(start, [interrupt(NOON), interrupt(NOON + 1)]).seen.size).toBe(2);
  });
});

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
    const body = Buffer.from(valid, 'base64url').subarray(0, -4);
    body.writeUInt8(1, 0);
    const checksum = createHash('sha256').update(body).digest().subarray(0, 4);
    expect(reasonOf(Buffer.concat([body, checksum]).toString('base64url'))).toBe('other_version');
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
    const head = Buffer.from(valid, 'base64url').subarray(0, 5);
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 19, maxLength: 200 }), fc.boolean(), (content, isPlausible) => {
        const body = Buffer.concat([head, content]);
        if (isPlausible) {
          body.fill(0, 5, 8);
        }
        const checksum = createHash('sha256').update(body).digest().subarray(0, 4);
        const outcome = reasonOf(Buffer.concat([body, checksum]).toString('base64url'));
        expect(outcome).toMatch(/^(altered|accepted)$/);
      }),
      { numRuns: 300 },
    );
  });

  it('throws nothing but InvalidCursorError, whatever it is given', () => {
    const bytes = fc.uint8Array({ maxLength: 1200 }).map((content) => Buffer.from(content));
    const sealed = bytes.map((body) =>
      Buffer.concat([body, createHash('sha256').update(body).digest().subarray(0, 4)]),
    );
    const garbage = fc.oneof(
      fc.string({ unit: 'binary' }),
      bytes.map((content) => content.toString('base64url')),
      sealed.map((content) => content.toString('base64url')),
      sealed.map((content) => Buffer.concat([Buffer.of(1), content]).toString('base64url')),
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
