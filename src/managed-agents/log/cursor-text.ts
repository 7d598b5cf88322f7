import { createHash } from 'node:crypto';
import { ExpectedError } from '../../context/expected-error.js';
import { cursorAt, cursorAtStart, type EventCursor } from './cursor.js';
import { parseTime } from './time.js';

/*
 * The encoded form. A model pays for each character of it, so numbers take as many bytes as they need ("varint" below):
 *
 *   version            1 byte
 *   session tag        3 bytes of a hash of its id
 *   `from`             varint, plus one; 0 is the beginning
 *   `passed`           varint, doubled; odd when something is awaited
 *   `awaited`          5 bytes, if there is any
 *   each event seen    5 bytes of fingerprint, and as a varint how much later it is than the one before; the first one,
 *                      than `from`
 *   checksum           3 bytes
 *
 * The overlap keeps 140 events below 1,152 bytes. Checksum and tag catch mistakes, not attackers: a forged cursor only
 * makes its own reader miss events. The checksum closes every version, so that a damaged cursor is never taken for one
 * of another version.
 */
const VERSION = 3;
const TAG_BYTES = 3;
const FINGERPRINT_BYTES = 5;
const CHECKSUM_BYTES = 3;
const CURSOR_SHAPE = /^[\w-]{12,1536}$/;

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
export function encodeCursor({ sessionId, from, passed, awaited, seen }: EventCursor): string {
  const bytes = new ByteWriter();
  bytes.fixed(VERSION, 1);
  bytes.raw(hash(sessionId, TAG_BYTES));
  bytes.varint(from === undefined ? 0 : from + 1);
  bytes.varint(passed * 2 + (awaited === undefined ? 0 : 1));
  if (awaited !== undefined) bytes.fixed(awaited, FINGERPRINT_BYTES);
  let before = from ?? 0;
  for (const [fingerprint, stamp] of [...seen].sort(([, one], [, other]) => one - other)) {
    bytes.fixed(fingerprint, FINGERPRINT_BYTES);
    bytes.varint(stamp - before);
    before = stamp;
  }
  const body = bytes.written();
  return Buffer.concat([body, hash(body, CHECKSUM_BYTES)]).toString('base64url');
}

function decodeCursor(sessionId: string, text: string): EventCursor {
  if (!CURSOR_SHAPE.test(text)) {
    throw new InvalidCursorError('not_a_cursor');
  }
  const bytes = Buffer.from(text, 'base64url');
  const body = bytes.subarray(0, -CHECKSUM_BYTES);
  // Node decodes text with a bit or a character too much as well; only what it would write itself is unchanged.
  const isWhole =
    bytes.toString('base64url') === text && hash(body, CHECKSUM_BYTES).equals(bytes.subarray(-CHECKSUM_BYTES));
  if (!isWhole) {
    throw new InvalidCursorError('altered');
  }
  const reader = new ByteReader(body);
  if (reader.fixed(1) !== VERSION) {
    throw new InvalidCursorError('other_version');
  }
  if (!hash(sessionId, TAG_BYTES).equals(reader.raw(TAG_BYTES))) {
    throw new InvalidCursorError('other_session');
  }
  const cursor = readCursor(sessionId, reader);
  if (reader.failed || ![...cursor.seen.values()].every(Number.isSafeInteger)) {
    throw new InvalidCursorError('altered');
  }
  return cursor;
}

function readCursor(sessionId: string, reader: ByteReader): EventCursor {
  const from = reader.varint() - 1;
  const passed = reader.varint();
  const awaited = passed % 2 === 1 ? reader.fixed(FINGERPRINT_BYTES) : undefined;
  const seen = new Map<number, number>();
  let stamp = Math.max(from, 0);
  while (!reader.atEnd) {
    const fingerprint = reader.fixed(FINGERPRINT_BYTES);
    stamp += reader.varint();
    seen.set(fingerprint, stamp);
  }
  return { sessionId, from: from < 0 ? undefined : from, passed: Math.floor(passed / 2), seen, awaited };
}

function hash(content: string | Buffer, length: number): Buffer {
  return createHash('sha256').update(content).digest().subarray(0, length);
}

/** Bits of a number that each byte of a varint carries. */
const SEVEN_BITS = 128;

/** Writes whole numbers one after the other, big-endian. */
export class ByteWriter {
  private readonly parts: Buffer[] = [];

  raw(bytes: Buffer): void {
    this.parts.push(bytes);
  }

  /** A number of at most `length` bytes; 6 at most. */
  fixed(value: number, length: number): void {
    const bytes = Buffer.alloc(length);
    bytes.writeUIntBE(value, 0, length);
    this.raw(bytes);
  }

  /** A number in as many bytes as it needs: seven bits each, the highest bit says that another byte follows. */
  varint(value: number): void {
    const bytes = [value % SEVEN_BITS];
    // No bit operators: they would cut numbers to 32 bits.
    for (let rest = Math.floor(value / SEVEN_BITS); rest > 0; rest = Math.floor(rest / SEVEN_BITS))
      bytes.unshift((rest % SEVEN_BITS) + SEVEN_BITS);
    this.raw(Buffer.from(bytes));
  }

  written(): Buffer {
    return Buffer.concat(this.parts);
  }
}

/** Reads what a {@link ByteWriter} wrote. Never throws: whatever cannot be read is 0, and `failed` says so. */
export class ByteReader {
  failed = false;
  private at = 0;

  constructor(private readonly bytes: Buffer) {}

  get atEnd(): boolean {
    return this.at >= this.bytes.length;
  }

  raw(length: number): Buffer {
    const end = this.at + length;
    this.failed ||= end > this.bytes.length;
    const bytes = this.bytes.subarray(this.at, end);
    this.at = end;
    return bytes;
  }

  fixed(length: number): number {
    const bytes = this.raw(length);
    return bytes.length === length ? bytes.readUIntBE(0, length) : 0;
  }

  varint(): number {
    let value = 0;
    for (;;) {
      const byte = this.fixed(1);
      value = value * SEVEN_BITS + (byte % SEVEN_BITS);
      this.failed ||= !Number.isSafeInteger(value);
      if (this.failed || byte < SEVEN_BITS) return this.failed ? 0 : value;
    }
  }
}
