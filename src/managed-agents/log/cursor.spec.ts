import { advance, cursorAtStart, isDelivered, keepNewest, OVERLAP_MICROS } from './cursor.js';
import { parseSince } from './cursor-text.js';
import { type LogEvent } from './event.js';
import { formatTime, parseTime } from './time.js';

const SESSION = 'sesn_01vt5ovnetZJjHrkZLHMUig9';
const NOON = parseTime('2026-08-17T12:00:00Z') ?? NaN;
const SECOND = 1_000_000;
const ROOM = 140;

const event = (id: string, stamp: number): LogEvent => ({ id, type: 'agent.message', processed_at: formatTime(stamp) });
const events = (count: number, stampOf: (index: number) => number): LogEvent[] =>
  Array.from({ length: count }, (_, index) => event(`sevt_${index}`, stampOf(index)));
const start = cursorAtStart(SESSION);

describe('advance', () => {
  it('reads again from 10 s before the newest delivered stamp, and names what was delivered since', () => {
    const old = event('sevt_old', NOON - OVERLAP_MICROS - 1);
    const near = event('sevt_near', NOON - OVERLAP_MICROS);
    const newest = event('sevt_newest', NOON);
    const cursor = advance(start, [old, near, newest]);
    expect(cursor).toMatchObject({ from: NOON - OVERLAP_MICROS, newest: NOON, outrun: false });
    expect(cursor.seen.map(({ stamp }) => stamp)).toEqual([NOON - OVERLAP_MICROS, NOON]);
    expect([old, near, newest].map((each) => isDelivered(cursor, each))).toEqual([true, true, true]);
    expect(isDelivered(cursor, event('sevt_late', NOON - SECOND))).toBe(false);
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
    expect(after).toMatchObject({ from: before.from, newest: NOON });
    expect(after.seen).toHaveLength(2);
  });

  it('tells interrupts apart that the API stored without an id', () => {
    const interrupt = (stamp: number): LogEvent => ({ ...event('', stamp), type: 'user.interrupt' });
    expect(advance(start, [interrupt(NOON), interrupt(NOON + 1)]).seen).toHaveLength(2);
  });
});

describe('keepNewest', () => {
  it('moves the time forward until the events fit, and says that protection was lost', () => {
    const cursor = keepNewest(
      advance(
        start,
        events(ROOM + 1, (index) => NOON + index),
      ),
      ROOM,
    );
    expect(cursor).toMatchObject({ from: NOON + 1, passed: 0, outrun: true });
    expect(cursor.seen).toHaveLength(ROOM);
    expect(advance(cursor, [event('sevt_next', NOON + SECOND)]).outrun).toBe(true);
    expect(advance(cursor, [event('sevt_next', NOON + 11 * SECOND)]).outrun).toBe(false);
  });

  it('leaves out a whole microsecond rather than a part of it', () => {
    const delivered = events(200, (index) => (index < 100 ? NOON : NOON + 1));
    const cursor = keepNewest(advance(start, delivered), ROOM);
    expect(cursor).toMatchObject({ from: NOON + 1, passed: 0 });
    expect(cursor.seen).toHaveLength(100);
  });

  it('counts the delivered events when one microsecond has more of them than it can name', () => {
    const tied = events(ROOM + 9, () => NOON);
    const once = keepNewest(advance(start, tied), ROOM);
    expect(once).toMatchObject({ from: NOON, passed: ROOM + 9 });
    const more = advance(once, [event('sevt_tied', NOON), event('sevt_later', NOON + 1)]);
    expect(more).toMatchObject({ from: NOON, passed: ROOM + 10 });
    expect(more.seen).toHaveLength(1);
    expect(advance(more, [event('sevt_much_later', NOON + OVERLAP_MICROS)]).passed).toBe(ROOM + 10);
    expect(advance(more, [event('sevt_much_later', NOON + OVERLAP_MICROS + 1)]).passed).toBe(0);
  });
});
