import * as crypto from 'node:crypto';
import { ExpectedError } from '../../context/expected-error.js';
import {
  cursorAt,
  cursorAtStart,
  type EventCursor,
  HASH_BITS,
  keepNewest,
  MAX_SEEN,
  type SeenEvent,
  SLOT_MICROS,
  slotOf,
} from './cursor.js';
import { ByteReader, ByteWriter, golombBits, golombDecode, golombEncode } from './bytes.js';
import { parseTime } from './time.js';

/*
 * The encoded form. A model pays for each of its characters, so numbers take as many bytes as they need ("varint" below):
 *
 *   version            1 byte
 *   session tag        3 bytes of a hash of the session's id
 *   `from`             varint, plus one; 0 is the beginning
 *   flags              varint: `passed` times four, plus 2 when outrun, plus 1 when an input is awaited
 *   `awaited`          5 bytes, if there is any
 *   seen events        only if there are any: varint how many, varint how many of them are stamped exactly `newest`,
 *                      varint `newest` minus `from`, varint slots from that of `from` to the first one in use,
 *                      1 byte hash bits, 1 byte Golomb parameter, Golomb-coded list
 *   checksum           3 bytes
 *
 * An event is named by the key (slot of its stamp, hash of its identity). The sorted keys are stored as differences, each
 * in Golomb-Rice code: the quotient by 2^parameter in unary, then the remainder. Two events can have the same key; both
 * are stored, because the events of one microsecond are counted when they cannot be named any more. Hashes have 32 bits,
 * and as many fewer as it takes for the text to fit. 480 events of ten seconds always fit: with 16 bits when they are
 * spread over all slots, where an event that appears late is dropped in error about once in 150,000 times, and with 26 when
 * all are in one.
 *
 * Checksum and tag catch mistakes, not attackers: a forged cursor only makes its own reader miss events. The checksum ends
 * every version, so that a damaged cursor is never taken for one of another version. Version 3 is still read.
 */
const VERSION = 4;
const NAMED_ONE_BY_ONE = 3;
const TAG_BYTES = 3;
const FINGERPRINT_BYTES = 5;
const CHECKSUM_BYTES = 3;
const MAX_BYTES = 1152;
const CURSOR_SHAPE = /^[\w-]{12,1536}$/;
const MIN_HASH_BITS = 16;
const MAX_PARAMETER = 48;

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
export class InvalidCursorError extends ExpectedError {
  readonly outcome = 'invalid';
  readonly reason = 'cursor';

  constructor(readonly fault: InvalidCursorReason) {
    super(
      `\`since\` ${WHAT_WAS_WRONG[fault]}: pass the unchanged \`next_since\` of an earlier result for this session, ` +
        'or an RFC 3339 time such as 2026-08-17T16:21:33Z.',
    );
    this.name = 'InvalidCursorError';
  }
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

/** Writes a cursor as base64url text of at most 1,536 characters, for `parseSince` to read again. */
export function encodeCursor(cursor: EventCursor): string {
  const fits = (count: number) => sizeOf(layoutOf(keepNewest(cursor, count), MIN_HASH_BITS)) <= MAX_BYTES;
  const kept = keepNewest(cursor, largest(0, Math.min(cursor.seen.length, MAX_SEEN), fits));
  const bits = largest(MIN_HASH_BITS, kept.hashBits, (count) => sizeOf(layoutOf(kept, count)) <= MAX_BYTES);
  const { head, keys, parameter } = layoutOf(kept, bits);
  const body = Buffer.concat([head, golombEncode(keys, parameter)]);
  return Buffer.concat([body, hash(body, CHECKSUM_BYTES)]).toString('base64url');
}

/** The largest number from `least` to `most` that fits, where `least` does and all below one that fits do. */
function largest(least: number, most: number, fits: (count: number) => boolean): number {
  if (fits(most)) return most;
  let [fitting, tooLarge] = [least, most];
  while (tooLarge - fitting > 1) {
    const middle = Math.floor((fitting + tooLarge) / 2);
    if (fits(middle)) fitting = middle;
    else tooLarge = middle;
  }
  return fitting;
}

/** What an encoded cursor consists of: the bytes before its seen events, their sorted keys, and the Golomb parameter. */
interface Layout {
  readonly head: Buffer;
  readonly keys: Float64Array;
  readonly parameter: number;
}

function layoutOf(whole: EventCursor, bits: number): Layout {
  const { sessionId, from, passed, awaited, outrun, ...cursor } = whole;
  const bytes = new ByteWriter();
  bytes.fixed(VERSION, 1);
  bytes.raw(hash(sessionId, TAG_BYTES));
  bytes.varint(from === undefined ? 0 : from + 1);
  bytes.varint(passed * 4 + (outrun ? 2 : 0) + (awaited === undefined ? 0 : 1));
  if (awaited !== undefined) bytes.fixed(awaited, FINGERPRINT_BYTES);
  if (cursor.seen.length === 0) return { head: bytes.written(), keys: new Float64Array(), parameter: 0 };
  // From the first slot in use, or the keys of a burst would be small differences after one that is large.
  const firstSlot = cursor.seen.reduce((min, { stamp }) => Math.min(min, slotOf(stamp)), Infinity);
  const keys = keysOf(cursor, firstSlot, bits);
  const parameter = parameterFor(keys);
  bytes.varint(keys.length);
  bytes.varint(cursor.seen.filter(({ stamp }) => stamp === cursor.newest).length);
  bytes.varint(cursor.newest - (from ?? 0));
  bytes.varint(firstSlot - slotOf(from ?? 0));
  bytes.fixed(bits, 1);
  bytes.fixed(parameter, 1);
  return { head: bytes.written(), keys, parameter };
}

/** The bytes that it takes, with its checksum. */
function sizeOf({ head, keys, parameter }: Layout): number {
  return head.length + Math.ceil(golombBits(keys, parameter) / 8) + CHECKSUM_BYTES;
}

/** The sorted keys: (slot after the first one, hash of so many bits). Events stamped `newest` have a slot of their own. */
function keysOf(
  { seen, newest, hashBits }: Pick<EventCursor, 'seen' | 'newest' | 'hashBits'>,
  firstSlot: number,
  bits: number,
): Float64Array {
  const keys = Float64Array.from(seen, ({ hash: full, stamp }) => {
    const slot = slotOf(stamp) + (stamp === newest ? 1 : 0) - firstSlot;
    return slot * 2 ** bits + Math.floor(full / 2 ** (hashBits - bits));
  });
  return keys.sort();
}

function parameterFor(keys: Float64Array): number {
  const mean = (keys.at(-1)! + 1) / keys.length;
  return Math.max(0, Math.floor(Math.log2(mean * Math.LN2)));
}

function decodeCursor(sessionId: string, text: string): EventCursor {
  if (!CURSOR_SHAPE.test(text)) throw new InvalidCursorError('not_a_cursor');
  const bytes = Buffer.from(text, 'base64url');
  const body = bytes.subarray(0, -CHECKSUM_BYTES);
  // Node also decodes text with a bit or a character too many; only the exact text that was written is unchanged.
  const isWhole =
    bytes.toString('base64url') === text && hash(body, CHECKSUM_BYTES).equals(bytes.subarray(-CHECKSUM_BYTES));
  if (!isWhole) throw new InvalidCursorError('altered');
  const reader = new ByteReader(body);
  const version = reader.fixed(1);
  if (version !== VERSION && version !== NAMED_ONE_BY_ONE) throw new InvalidCursorError('other_version');
  if (!hash(sessionId, TAG_BYTES).equals(reader.raw(TAG_BYTES))) throw new InvalidCursorError('other_session');
  const cursor = version === VERSION ? readCursor(sessionId, reader) : readNamedOneByOne(sessionId, reader);
  if (reader.failed || !cursor.seen.every(({ stamp }) => Number.isSafeInteger(stamp)))
    throw new InvalidCursorError('altered');
  return cursor;
}

function readCursor(sessionId: string, reader: ByteReader): EventCursor {
  const from = reader.varint() - 1;
  const flags = reader.varint();
  const awaited = flags % 2 === 1 ? reader.fixed(FINGERPRINT_BYTES) : undefined;
  const start = cursorAt(sessionId, from < 0 ? undefined : from);
  const passed = Math.floor(flags / 4);
  const head = { ...start, passed, newest: passed > 0 ? from : 0, outrun: flags % 4 >= 2, awaited };
  if (reader.atEnd) return head;
  const count = reader.varint();
  const ties = reader.varint();
  const newest = Math.max(from, 0) + reader.varint();
  const firstSlot = slotOf(Math.max(from, 0)) + reader.varint();
  const hashBits = reader.fixed(1);
  const parameter = reader.fixed(1);
  const isPossible =
    count <= MAX_SEEN &&
    ties <= count &&
    hashBits >= MIN_HASH_BITS &&
    hashBits <= HASH_BITS &&
    parameter <= MAX_PARAMETER;
  if (!isPossible) throw new InvalidCursorError('altered');
  const keys = golombDecode(reader, count, parameter);
  const seen = keys.map<SeenEvent>((key, index) => {
    const endOfSlot = (firstSlot + Math.floor(key / 2 ** hashBits) + 1) * SLOT_MICROS - 1;
    const stamp = index >= keys.length - ties ? newest : Math.min(endOfSlot, newest - 1);
    return { hash: key % 2 ** hashBits, stamp };
  });
  return { ...head, newest, hashBits, seen };
}

/** Version 3: each event seen as 5 bytes of fingerprint, and as a varint how much later it is than the one before. */
function readNamedOneByOne(sessionId: string, reader: ByteReader): EventCursor {
  const from = reader.varint() - 1;
  const flags = reader.varint();
  const awaited = flags % 2 === 1 ? reader.fixed(FINGERPRINT_BYTES) : undefined;
  const seen: SeenEvent[] = [];
  let stamp = Math.max(from, 0);
  while (!reader.atEnd) {
    const fingerprint = reader.fixed(FINGERPRINT_BYTES);
    stamp += reader.varint();
    seen.push({ hash: Math.floor(fingerprint / 2 ** (8 * FINGERPRINT_BYTES - HASH_BITS)), stamp });
  }
  const passed = Math.floor(flags / 2);
  const newest = seen.length > 0 || passed > 0 ? stamp : 0;
  return { ...cursorAt(sessionId, from < 0 ? undefined : from), passed, seen, newest, awaited };
}

function hash(content: string | Buffer, length: number): Buffer {
  return crypto.hash('sha256', content, 'buffer').subarray(0, length);
}
