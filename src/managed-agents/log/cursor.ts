import { hash } from 'node:crypto';
import { identityOf, type LogEvent, stampOf } from './event.js';

/** How far behind the newest delivered stamp a read starts again, so that an event stamped late is not lost. In µs. */
export const OVERLAP_MICROS = 10_000_000;

/** Delivered events are named with the time slot of their stamp, in µs. */
export const SLOT_MICROS = 8192;

/** The bits of an event's hash in memory; an encoded cursor with many events has room for fewer. */
export const HASH_BITS = 32;

/** How many delivered events an encoded cursor names at most; so many of ten seconds always fit. 450 are promised. */
export const MAX_SEEN = 480;

/** A delivered event. */
export interface SeenEvent {
  /** The first `hashBits` bits of the hash of its identity. */
  readonly hash: number;
  /**
   * Its stamp in µs since 1970; of one that was decoded, `newest` for those that carry exactly that stamp, and otherwise
   * the last µs of its slot before `newest`.
   */
  readonly stamp: number;
}

/**
 * How far a session's log was delivered. The API has no sequence numbers, and its stamps can tie or arrive late, so the
 * cursor names a time to read from again and the events that were delivered since.
 *
 * Every delivered event stamped at or after `from` is in `seen`, or is one of the `passed` first ones at `from`.
 */
export interface EventCursor {
  readonly sessionId: string;
  /** Where a read starts again, inclusively, in µs since 1970; undefined for the beginning of the log. */
  readonly from: number | undefined;
  /** How many delivered events carry exactly the stamp `from` and are counted, in list order, rather than named. */
  readonly passed: number;
  readonly seen: readonly SeenEvent[];
  /** The newest delivered stamp in µs; 0 while `seen` is empty. A later event is new without a comparison. */
  readonly newest: number;
  /** How many bits of their hashes `seen` holds. */
  readonly hashBits: number;
  /**
   * Whether the cursor had no room for all events of the last ten seconds. The next read can miss an event that appears
   * late and is stamped before `from`.
   */
  readonly outrun: boolean;
  /**
   * Fingerprint of an input that was just sent. A wait from here does not take the session's state for an answer to it
   * before the log shows the input: for up to two seconds the API can still show the state from before.
   */
  readonly awaited?: number;
}

/** The cursor of a session of which nothing was delivered yet. */
export function cursorAtStart(sessionId: string): EventCursor {
  return cursorAt(sessionId, undefined);
}

/** The cursor of a session of which everything from this time on is still to be delivered. */
export function cursorAt(sessionId: string, from: number | undefined): EventCursor {
  return { sessionId, from, passed: 0, seen: [], newest: 0, hashBits: HASH_BITS, outrun: false };
}

/** The same cursor, awaiting `sent`: the last of the inputs that the API has just accepted, if it named any. */
export function awaiting(cursor: EventCursor, sent: LogEvent | undefined): EventCursor {
  return sent?.id ? { ...cursor, awaited: fingerprintOf(sent) } : cursor;
}

/** Events that show that a session continues after a budget pause. The API does not return the event of an update. */
const RESUMPTION_TYPES: ReadonlySet<string> = new Set(['session.updated', 'session.status_running']);
const RESUMPTION = fingerprintOf({ id: 'resumption', type: 'resumption' });

/** The same cursor, awaiting that the session continues after its budget was changed. */
export function awaitingResumption(cursor: EventCursor): EventCursor {
  return { ...cursor, awaited: RESUMPTION };
}

/** Whether these events contain the awaited one, or none is awaited. */
export function isAnswered(cursor: EventCursor, delivered: readonly LogEvent[]): boolean {
  if (cursor.awaited === undefined) {
    return true;
  }
  return delivered.some((event) => stampOf(event) !== undefined && isAwaited(cursor, event));
}

/** Whether this is the awaited event. */
export function isAwaited({ awaited }: EventCursor, event: LogEvent): boolean {
  if (awaited === RESUMPTION) return RESUMPTION_TYPES.has(event.type);
  return awaited !== undefined && fingerprintOf(event) === awaited;
}

/** Whether this event was delivered before the cursor. Events stamped before `from` count as delivered. */
export function isDelivered(cursor: EventCursor, event: LogEvent): boolean {
  return new DeliveredEvents(cursor).has(event);
}

/** The delivered events of a cursor, indexed for many look-ups. */
export class DeliveredEvents {
  /** How many of them carry exactly the newest stamp. */
  readonly ties: number;
  private readonly slots = new Map<number, Set<number>>();

  constructor(private readonly cursor: EventCursor) {
    this.ties = cursor.seen.filter(({ stamp }) => stamp === cursor.newest).length;
    for (const { hash, stamp } of cursor.seen) {
      const slot = slotOf(stamp);
      this.slots.set(slot, (this.slots.get(slot) ?? new Set()).add(hash));
    }
  }

  has(event: LogEvent): boolean {
    const stamp = stampOf(event);
    if (stamp === undefined || stamp > this.cursor.newest)
      return stamp !== undefined && stamp < (this.cursor.from ?? 0);
    if (stamp < (this.cursor.from ?? 0)) return true;
    return this.slots.get(slotOf(stamp))?.has(hashOf(event, this.cursor.hashBits)) ?? false;
  }
}

export function slotOf(stamp: number): number {
  return Math.floor(stamp / SLOT_MICROS);
}

/**
 * The cursor after everything that `newest` holds: the newest events of a log in its order, at least
 * {@link OVERLAP_MICROS} worth or more than a cursor can name, unless they are the whole log.
 */
export function cursorAtEnd(sessionId: string, newest: readonly LogEvent[], isWholeLog: boolean): EventCursor {
  const end = advance(cursorAtStart(sessionId), newest);
  const stamps = newest.map(stampOf).filter((stamp) => stamp !== undefined);
  if (isWholeLog || stamps.length === 0) return end;
  // Older events were not read, so the cursor must not reach back to them.
  const from = Math.min(...stamps) + 1;
  return { ...forgetBefore(end, from), outrun: from > end.newest - OVERLAP_MICROS };
}

/** The first five bytes of the SHA-256 of the event's identity. */
export function fingerprintOf(event: LogEvent): number {
  return hash('sha256', identityOf(event), 'buffer').readUIntBE(0, 5);
}

/** The first `bits` bits of the same hash. */
function hashOf(event: LogEvent, bits: number): number {
  return Math.floor(fingerprintOf(event) / 2 ** (40 - bits));
}

/**
 * The cursor after `delivered`: the events of a read from `cursor`, all of them or its first ones. Events without a
 * stamp are still queued; they don't count as delivered.
 */
export function advance(cursor: EventCursor, delivered: readonly LogEvent[]): EventCursor {
  // By identity, because a list can repeat an event, and not by hash, because every event counts where stamps tie.
  const added = new Map<string, { readonly event: LogEvent; readonly stamp: number }>();
  const tied = new Set<string>();
  for (const event of delivered) {
    const stamp = stampOf(event);
    if (stamp === undefined || stamp < (cursor.from ?? 0)) continue;
    if (cursor.passed > 0 && stamp === cursor.from) tied.add(identityOf(event));
    else added.set(identityOf(event), { event, stamp });
  }
  const newest = [...added.values()].reduce((max, { stamp }) => Math.max(max, stamp), cursor.newest);
  const from = newest === 0 ? cursor.from : Math.max(cursor.from ?? 0, newest - OVERLAP_MICROS);
  const kept = cursor.seen.filter(({ stamp }) => stamp >= (from ?? 0));
  const hashBits = kept.length === 0 ? HASH_BITS : cursor.hashBits;
  const named = [...added.values()]
    .filter(({ stamp }) => stamp >= (from ?? 0))
    .map(({ event, stamp }) => ({ hash: hashOf(event, hashBits), stamp }));
  return {
    sessionId: cursor.sessionId,
    from,
    passed: from === cursor.from ? cursor.passed + tied.size : 0,
    seen: [...kept, ...named],
    newest,
    hashBits,
    outrun: cursor.outrun && (from ?? 0) > newest - OVERLAP_MICROS,
    awaited: isAnswered(cursor, delivered) ? undefined : cursor.awaited,
  };
}

/** The cursor that names at most the `count` newest of its events: what an encoded one has room for. */
export function keepNewest(cursor: EventCursor, count: number): EventCursor {
  if (cursor.seen.length <= count) return cursor;
  const stamps = cursor.seen.map(({ stamp }) => stamp).sort((a, b) => b - a);
  const firstWithoutRoom = stamps[count] ?? 0;
  // Moving `from` past it keeps delivery exact and gives up only protection: an event that is still to come is lost when
  // it is stamped before `from`.
  if (firstWithoutRoom < cursor.newest) return { ...forgetBefore(cursor, firstWithoutRoom + 1), outrun: true };
  // More events than can be named share the newest microsecond. Counting them is exact while ties keep their order in the
  // list and the caller keeps asking for the same types.
  const ties = stamps.filter((stamp) => stamp === cursor.newest).length;
  const { sessionId, newest, awaited } = cursor;
  const passed = ties + (cursor.from === newest ? cursor.passed : 0);
  return { ...cursorAt(sessionId, newest), newest, passed, outrun: true, awaited };
}

function forgetBefore(cursor: EventCursor, from: number): EventCursor {
  if (cursor.from !== undefined && from <= cursor.from) return cursor;
  return { ...cursor, from, passed: 0, seen: cursor.seen.filter(({ stamp }) => stamp >= from) };
}
