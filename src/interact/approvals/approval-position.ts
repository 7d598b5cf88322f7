import { hash } from 'node:crypto';

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

/** The place of a session or call with this id and creation time, in microseconds since 1970. */
export function placeOf(id: string, time: number): Place {
  return { time, tieBreak: digest(id).readUIntBE(0, 6) };
}

/** Sorts sessions newest first. */
export function newestFirst(a: Place, b: Place): number {
  return b.time - a.time || a.tieBreak - b.tieBreak;
}

/** Sorts the calls of a session: who has waited longest comes first. */
export function oldestFirst(a: Place, b: Place): number {
  return a.time - b.time || a.tieBreak - b.tieBreak;
}

/** Reads the content of a page token as {@link contentOf} wrote it. */
export function positionOf(content: unknown): Position | undefined {
  if (!Array.isArray(content) || !content.every(Number.isSafeInteger)) return undefined;
  const [time, tieBreak, callTime, callTieBreak] = content as (number | undefined)[];
  if (time === undefined || tieBreak === undefined) return undefined;
  const session = { time, tieBreak };
  return callTime === undefined || callTieBreak === undefined
    ? { session }
    : { session, call: { time: callTime, tieBreak: callTieBreak } };
}

/** A position as the content of a page token. */
export function contentOf({ session, call }: Position): number[] {
  return [session, ...(call ? [call] : [])].flatMap(({ time, tieBreak }) => [time, tieBreak]);
}

function digest(text: string): Buffer {
  return hash('sha256', text, 'buffer');
}
