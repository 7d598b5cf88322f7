import { createHash } from 'node:crypto';
import { type LogEvent } from './event.js';
import { identityOf, stampOf } from './fields.js';
import { parseTime } from './time.js';

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

function cursorAt(sessionId: string, from: number | undefined): EventCursor {
  return { sessionId, from, passed: 0, seen: new Map() };
}

/** The cursor `cursor`, waiting for `sent`: the last of the inputs the API has just accepted, if it named any. */
export function awaiting(cursor: EventCursor, sent: LogEvent | undefined): EventCursor {
  return sent?.id ? { ...cursor, awaited: fingerprintOf(sent) } : cursor;
}

/** Whether nothing is awaited any more after these events. */
export function isAnswered({ awaited }: EventCursor, delivered: readonly LogEvent[]): boolean {
  if (awaited === undefined) {
    return true;
  }
  return delivered.some((event) => stampOf(event) !== undefined && fingerprintOf(event) === awaited);
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

/*
 * The encoded form, in bytes: version 1, session tag 4, `from` 8 (plus one; 0 is the beginning), `passed` 6, `awaited` 5
 * (0 is none), per event 5 of fingerprint and 3 of distance from `from`, checksum 4. The overlap keeps distances below 2^24 µs. Checksum and tag
 * catch mistakes, not attackers: a forged cursor only makes its own reader miss events. The checksum closes every
 * version, so that a damaged cursor is never taken for one of another version.
 */
const VERSION = 2;
const HEADER_BYTES = 24;
const SEEN_BYTES = 8;
const CHECKSUM_BYTES = 4;
const CURSOR_SHAPE = /^[\w-]{38,1536}$/;

/** Why a `since` was refused. */
export type InvalidCursorReason = 'not_a_time' | 'not_a_cursor' | 'altered' | 'other_version' | 'other_session';

const WHAT_WAS_WRONG: Record<InvalidCursorReason, string> = {
  not_a_time: 'is not a valid RFC 3339 time between 1970 and 2255',
  not_a_cursor: 'is neither a time nor a cursor',
  altered: 'is a cursor that was cut or changed',
  other_version: 'is a cursor of another version of this server',
  other_session: 'is a cursor of another session',
};

/** Thrown for a `since` that can't be read. The message says what is allowed and repeats nothing of the input. */
export class InvalidCursorError extends Error {
  constructor(readonly reason: InvalidCursorReason) {
    super(
      `\`since\` ${WHAT_WAS_WRONG[reason]}: pass the unchanged \`next_since\` of an earlier result for this session, ` +
        'or an RFC 3339 time such as 2026-08-17T16:21:33Z.',
    );
    this.name = 'InvalidCursorError';
  }
}

/** Writes a cursor as base64url text of at most 1,536 characters, for `parseSince` to read again. */
export function encodeCursor(cursor: EventCursor): string {
  const from = cursor.from ?? 0;
  const body = Buffer.alloc(HEADER_BYTES + cursor.seen.size * SEEN_BYTES);
  body.writeUInt8(VERSION, 0);
  sessionTag(cursor.sessionId).copy(body, 1);
  body.writeBigUInt64BE(cursor.from === undefined ? 0n : BigInt(cursor.from) + 1n, 5);
  body.writeUIntBE(cursor.passed, 13, 6);
  body.writeUIntBE(cursor.awaited ?? 0, 19, 5);
  let offset = HEADER_BYTES;
  for (const [fingerprint, stamp] of cursor.seen) {
    body.writeUIntBE(fingerprint, offset, 5);
    body.writeUIntBE(stamp - from, offset + 5, 3);
    offset += SEEN_BYTES;
  }
  return Buffer.concat([body, checksum(body)]).toString('base64url');
}

/**
 * Reads the `since` of a request: nothing for the beginning, an RFC 3339 time (inclusive, cut to µs), or an encoded
 * cursor of this session.
 *
 * @throws {InvalidCursorError} for anything else.
 */
export function parseSince(sessionId: string, since: string | undefined): EventCursor {
  if (since === undefined) {
    return cursorAtStart(sessionId);
  }
  // The version byte keeps an encoded cursor from ever beginning with a digit.
  if (/^\d/.test(since)) {
    const from = parseTime(since);
    if (from === undefined) {
      throw new InvalidCursorError('not_a_time');
    }
    return cursorAt(sessionId, from);
  }
  return decodeCursor(sessionId, since);
}

function decodeCursor(sessionId: string, text: string): EventCursor {
  if (!CURSOR_SHAPE.test(text)) {
    throw new InvalidCursorError('not_a_cursor');
  }
  const bytes = Buffer.from(text, 'base64url');
  const body = bytes.subarray(0, -CHECKSUM_BYTES);
  // Node decodes text with a bit or a character too much as well; only what it would write itself is unchanged.
  const isWhole = bytes.toString('base64url') === text && checksum(body).equals(bytes.subarray(-CHECKSUM_BYTES));
  if (!isWhole) {
    throw new InvalidCursorError('altered');
  }
  if (body.readUInt8(0) !== VERSION) {
    throw new InvalidCursorError('other_version');
  }
  const from = Number(body.readBigUInt64BE(5)) - 1;
  if (!Number.isSafeInteger(from) || (body.length - HEADER_BYTES) % SEEN_BYTES !== 0) {
    throw new InvalidCursorError('altered');
  }
  if (!sessionTag(sessionId).equals(body.subarray(1, 5))) {
    throw new InvalidCursorError('other_session');
  }
  const seen = new Map<number, number>();
  for (let offset = HEADER_BYTES; offset < body.length; offset += SEEN_BYTES) {
    seen.set(body.readUIntBE(offset, 5), from + body.readUIntBE(offset + 5, 3));
  }
  const awaited = body.readUIntBE(19, 5) || undefined;
  return { sessionId, from: from < 0 ? undefined : from, passed: body.readUIntBE(13, 6), seen, awaited };
}

function sessionTag(sessionId: string): Buffer {
  return createHash('sha256').update(sessionId).digest().subarray(0, 4);
}

function checksum(body: Buffer): Buffer {
  return createHash('sha256').update(body).digest().subarray(0, CHECKSUM_BYTES);
}
