import { createHash } from 'node:crypto';
import { ToolError } from '../../mcp/errors/tool-error.js';

/** A moment, and what orders things of the same microsecond. */
export interface Place {
  /** Microseconds since 1970. */
  readonly time: number;
  /** The first six bytes of the SHA-256 of an id: of a fixed size, unlike the id, and an order of its own. */
  readonly tieBreak: number;
}

/**
 * How far approvals were delivered: all of the sessions up to this one, and of this one all calls up to `call`. Without
 * `call` the session is done. It says what was delivered and not how many, so nothing is lost or repeated when sessions
 * and calls come and go between two pages.
 */
export interface Position {
  readonly session: Place;
  readonly call?: Place;
}

/** Before the first session. */
export const START: Position = { session: { time: Number.MAX_SAFE_INTEGER, tieBreak: 0 } };

/** The place of what has this id and came into being at this time, in microseconds since 1970. */
export function placeOf(id: string, time: number): Place {
  return { time, tieBreak: digest(id).readUIntBE(0, TIE_BREAK_BYTES) };
}

/** Sorts sessions newest first. */
export function newestFirst(a: Place, b: Place): number {
  return b.time - a.time || a.tieBreak - b.tieBreak;
}

/** Sorts the calls of a session: who has waited longest comes first. */
export function oldestFirst(a: Place, b: Place): number {
  return a.time - b.time || a.tieBreak - b.tieBreak;
}

/*
 * The encoded form, in bytes: version 1, session 14, optionally call 14, checksum 6. A place is 8 of time and 6 of
 * tie-break. The checksum covers the agent filter, too: paging on with another one would silently leave sessions out.
 * It catches mistakes, not attackers: a forged page holds two times and two numbers and only makes its own reader miss
 * approvals.
 */
const VERSION = 1;
const TIME_BYTES = 8;
const TIE_BREAK_BYTES = 6;
const PLACE_BYTES = TIME_BYTES + TIE_BREAK_BYTES;
const CHECKSUM_BYTES = 6;
const PAGE_SHAPE = /^(?:[\w-]{28}|[\w-]{47})$/;

/** Writes a position as 28 or 47 characters of base64url. */
export function encodePosition({ session, call }: Position, agentId: string | undefined): string {
  const body = Buffer.concat([Buffer.of(VERSION), placeBytes(session), ...(call ? [placeBytes(call)] : [])]);
  return Buffer.concat([body, checksum(body, agentId)]).toString('base64url');
}

/** Reads the `page` of a request; anything but what {@link encodePosition} wrote for this agent filter is refused. */
export function decodePosition(page: string, agentId: string | undefined): Position {
  const bytes = PAGE_SHAPE.test(page) ? Buffer.from(page, 'base64url') : Buffer.alloc(0);
  const body = bytes.subarray(0, -CHECKSUM_BYTES);
  // Node decodes text with stray bits as well; only what it would write itself is unchanged.
  const isWhole = bytes.toString('base64url') === page && checksum(body, agentId).equals(bytes.subarray(body.length));
  if (!isWhole || body[0] !== VERSION) throw invalidPage();
  const session = readPlace(body, 1);
  return body.length > 1 + PLACE_BYTES ? { session, call: readPlace(body, 1 + PLACE_BYTES) } : { session };
}

function placeBytes({ time, tieBreak }: Place): Buffer {
  const bytes = Buffer.alloc(PLACE_BYTES);
  bytes.writeBigUInt64BE(BigInt(time));
  bytes.writeUIntBE(tieBreak, TIME_BYTES, TIE_BREAK_BYTES);
  return bytes;
}

function readPlace(body: Buffer, offset: number): Place {
  const time = Number(body.readBigUInt64BE(offset));
  if (!Number.isSafeInteger(time)) throw invalidPage();
  return { time, tieBreak: body.readUIntBE(offset + TIME_BYTES, TIE_BREAK_BYTES) };
}

function checksum(body: Buffer, agentId: string | undefined): Buffer {
  return digest(`${body.toString('hex')} ${agentId ?? ''}`).subarray(0, CHECKSUM_BYTES);
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function invalidPage(): ToolError {
  return new ToolError(
    'page is not a next_page of approval_list for this agent_id: pass next_page unchanged and agent_id as before, or leave page out to begin again.',
    'invalid_page',
  );
}
