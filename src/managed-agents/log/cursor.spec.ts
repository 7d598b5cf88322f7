import { advance, cursorAtStart, fingerprintOf, MAX_SEEN, OVERLAP_MICROS } from './cursor.js';
import { parseSince } from './cursor-text.js';
import { type LogEvent } from './event.js';
import { formatTime, parseTime } from './time.js';

const SESSION = 'sesn_01vt5ovnetZJjHrkZLHMUig9';
const NOON = parseTime('2026-08-17T12:00:00Z') ?? NaN;
const SECOND = 1_000_000;

const event = (id: string, stamp: number): LogEvent => ({ id, type: 'agent.message', processed_at: formatTime(stamp) });
const events = (count: number, stampOf: (index: number) => number): LogEvent[] =>
  Array.from({ length: count }, (_, index) => event(`sevt_${index}`, stampOf(index)));
const start = cursorAtStart(SESSION);

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
