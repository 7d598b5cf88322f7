import { createHash } from 'node:crypto';
import { type LogEvent } from './event.js';
import { identityOf, stampOf } from './event.js';

/** How far behind the latest delivered stamp reading begins again, so that an event stamped late is not lost. In µs. */
export const OVERLAP_MICROS = 10_000_000;

/** How many delivered events a cursor can name: what its encoded form has room for. */
export const MAX_SEEN = 140;

/**
 * How far a session's log was delivered. The API knows no sequence number and its stamps can tie or come late, so the
 * cursor reads again from a time and drops what it knows to be delivered.
 *
 * Every delivered event stamped at or after `from` is in `seen`, or is one of the `passed` first ones at `from`.
 */
export interface EventCursor {
  readonly sessionId: string;
  /** Where reading begins again, inclusively, in µs since 1970; undefined for the beginning of the log. */
  readonly from: number | undefined;
  /** How many delivered events carry exactly the stamp `from` and are counted, in list order, rather than named. */
  readonly passed: number;
  /** Fingerprint of each delivered event since `from`, and its stamp in µs. */
  readonly seen: ReadonlyMap<number, number>;
  /**
   * Fingerprint of an input that was just sent. Whoever waits from here does not take the session's state for an answer
   * to it before the log shows it processed: for up to two seconds the API can still tell what was before.
   */
  readonly awaited?: number;
}

/** The cursor of a session of which nothing was delivered yet. */
export function cursorAtStart(sessionId: string): EventCursor {
  return cursorAt(sessionId, undefined);
}

/** The cursor of a session of which everything from this time on is still to be delivered. */
export function cursorAt(sessionId: string, from: number | undefined): EventCursor {
  return { sessionId, from, passed: 0, seen: new Map() };
}

/** The cursor `cursor`, waiting for `sent`: the last of the inputs the API has just accepted, if it named any. */
export function awaiting(cursor: EventCursor, sent: LogEvent | undefined): EventCursor {
  return sent?.id ? { ...cursor, awaited: fingerprintOf(sent) } : cursor;
}

/** Shows that a session goes on which its budget had paused; the API does not tell an update's event beforehand. */
const RESUMPTION_TYPES: ReadonlySet<string> = new Set(['session.updated', 'session.status_running']);
const RESUMPTION = fingerprintOf({ id: 'resumption', type: 'resumption' });

/** The cursor `cursor`, waiting for the session to go on after its budget was changed. */
export function awaitingResumption(cursor: EventCursor): EventCursor {
  return { ...cursor, awaited: RESUMPTION };
}

/** Whether nothing is awaited any more after these events. */
export function isAnswered(cursor: EventCursor, delivered: readonly LogEvent[]): boolean {
  if (cursor.awaited === undefined) {
    return true;
  }
  return delivered.some((event) => stampOf(event) !== undefined && isAwaited(cursor, event));
}

/** Whether this is the input that the caller has just sent, or what it set off. */
export function isAwaited({ awaited }: EventCursor, event: LogEvent): boolean {
  if (awaited === RESUMPTION) return RESUMPTION_TYPES.has(event.type);
  return awaited !== undefined && fingerprintOf(event) === awaited;
}

/** Whether this event was delivered before the cursor. Events stamped before its reach count as delivered. */
export function isDelivered(cursor: EventCursor, event: LogEvent): boolean {
  const stamp = stampOf(event);
  if (stamp === undefined) {
    return false;
  }
  return stamp < (cursor.from ?? 0) || cursor.seen.has(fingerprintOf(event));
}

/**
 * The cursor after everything that `newest` holds: the newest events of a log in its order, at least
 * {@link MAX_SEEN} + 1 of them unless they are the whole log.
 */
export function cursorAtEnd(sessionId: string, newest: readonly LogEvent[], isWholeLog: boolean): EventCursor {
  const end = advance(cursorAtStart(sessionId), newest);
  const stamps = newest.map(stampOf).filter((stamp) => stamp !== undefined);
  // Older events were not read, so the cursor must not reach back to where they are.
  return isWholeLog || stamps.length === 0 ? end : forget(end, Math.min(...stamps) + 1);
}

/**
 * The first five bytes of the SHA-256 of the event's identity. A new event is dropped in error when it shares them with
 * a delivered one nearby: at most 140 in 2^40, about one event in eight billion.
 */
export function fingerprintOf(event: LogEvent): number {
  return createHash('sha256').update(identityOf(event)).digest().readUIntBE(0, 5);
}

/**
 * The cursor after `delivered`: the events of a read from `cursor`, all of them or its first ones. Events without a
 * stamp are still queued; they don't count as delivered.
 */
export function advance(cursor: EventCursor, delivered: readonly LogEvent[]): EventCursor {
  const seen = new Map(cursor.seen);
  const tied = new Set<string>();
  for (const event of delivered) {
    const stamp = stampOf(event);
    if (stamp === undefined || stamp < (cursor.from ?? 0)) {
      continue;
    }
    if (cursor.passed > 0 && stamp === cursor.from) {
      tied.add(identityOf(event));
    } else {
      seen.set(fingerprintOf(event), stamp);
    }
  }
  const moved = shrink({ ...cursor, passed: cursor.passed + tied.size, seen });
  return { ...moved, awaited: isAnswered(cursor, delivered) ? undefined : cursor.awaited };
}

/** Moves `from` up to the overlap, and further when there are more events to name than there is room for. */
function shrink(cursor: EventCursor): EventCursor {
  if (cursor.seen.size === 0) {
    return cursor;
  }
  const newestFirst = [...cursor.seen.values()].sort((a, b) => b - a);
  const newest = newestFirst[0] ?? 0;
  const overlapping = forget(cursor, newest - OVERLAP_MICROS);
  if (overlapping.seen.size <= MAX_SEEN) {
    return overlapping;
  }
  // The newest MAX_SEEN events can be named. Moving `from` past the next one keeps them exact and gives up only
  // protection: an event still to come is now lost when it is stamped earlier than that, not just 10 s late.
  const firstWithoutRoom = newestFirst[MAX_SEEN] ?? 0;
  if (firstWithoutRoom < newest) {
    return forget(cursor, firstWithoutRoom + 1);
  }
  // More events than can be named share the newest microsecond. Counting them is exact while ties keep their order in
  // the list and the caller keeps asking for the same types.
  const ties = newestFirst.filter((stamp) => stamp === newest).length;
  return { ...cursorAt(cursor.sessionId, newest), passed: ties };
}

function forget(cursor: EventCursor, before: number): EventCursor {
  if (cursor.from !== undefined && before <= cursor.from) {
    return cursor;
  }
  const from = Math.max(before, 0);
  return { ...cursorAt(cursor.sessionId, from), seen: new Map([...cursor.seen].filter(([, stamp]) => stamp >= from)) };
}
