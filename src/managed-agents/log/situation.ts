import { type FetchPage, type LogEvent, type LogPage, MAX_PAGES_BACK } from './event.js';
import { identityOf, recordOf, stampOf } from './fields.js';
import { mergeStreamed } from './merge.js';
import { Outline } from './outline.js';
import { turnError, type TurnError } from './turn-error.js';
import { blockingCalls, pendingActions, type PendingAction } from './pending.js';
import {
  changesBudget,
  endsTurn,
  INPUT_TYPES,
  isModelOutput,
  isQueued,
  type SessionStatus,
  SITUATION_TYPES,
  startsTurn,
  statusOf,
  type StopReason,
  stopReasonOf,
} from './vocabulary.js';

export type { PendingAction, SessionStatus, StopReason, TurnError };

/**
 * How far the session's turn is.
 * - `not_started`: nothing was ever asked of the session, which therefore idles without having finished anything.
 * - `queued`: input was given or pending calls were answered, and the session is about to go on.
 * - `requires_action`: it waits for a client, see `pendingActions`.
 * - `budget_reached`: paused until the budget is changed.
 * - `over`: it ended for good; the next message starts another turn.
 */
export type Turn = 'not_started' | 'queued' | 'running' | 'requires_action' | 'budget_reached' | 'over' | 'terminated';

/** What a session is doing, as its log tells. */
export interface Situation {
  /** From the newest status event read; undefined when there is none. */
  readonly status: SessionStatus | undefined;
  readonly turn: Turn;
  /** Of the newest `session.status_idle`, as sent; only while no other status followed. */
  readonly stopReason?: StopReason;
  readonly stopDetails?: Readonly<Record<string, unknown>>;
  /** Whether the turn ended, and ended in an error. */
  readonly failed: boolean;
  /** The turn's newest error that the session did not recover from by a retry. */
  readonly error?: TurnError;
  readonly pendingActions: readonly PendingAction[];
  /** The turn's newest `agent.message` of the primary thread. */
  readonly lastMessage?: LogEvent;
  /** The turn's newest `span.outcome_evaluation_end`. */
  readonly evaluation?: LogEvent;
  /** Whether a client stopped the turn; it then often ends without a message. */
  readonly interrupted: boolean;
  /** How many inputs wait to be taken up. An interrupt is none: it never makes a session work. */
  readonly queuedInputs: number;
  /** Cumulative usage as of the newest `session.usage` read, as sent. */
  readonly usage?: Readonly<Record<string, unknown>>;
  readonly budget?: Readonly<Record<string, unknown>>;
  /** False when older events, which were not read, might change any of this. */
  readonly complete: boolean;
}

const OPEN_TURNS: ReadonlySet<Turn> = new Set(['running', 'requires_action', 'budget_reached']);

/** The log, split at the marks that give its events their meaning. */
interface Chapters {
  readonly log: readonly LogEvent[];
  readonly queued: readonly LogEvent[];
  readonly status: SessionStatus | undefined;
  /** The newest `session.status_idle`, unless another status followed. */
  readonly idle: LogEvent | undefined;
  /** Events after the newest status event. */
  readonly afterStatus: readonly LogEvent[];
  /** Events after the idle that ended the previous turn. */
  readonly turn: readonly LogEvent[];
}

/**
 * Derives a session's situation from the end of its log. Never throws, whatever the events carry.
 *
 * @param tail the newest events in log order, oldest first; queued inputs may stand anywhere, repetitions are ignored.
 * Types that don't matter here may be left out.
 * @param reachesStart whether the tail is the whole log
 */
export function situationOf(tail: readonly LogEvent[], reachesStart: boolean): Situation {
  const chapters = split(tail);
  const { log, queued, status, idle } = chapters;
  const known = new Map(log.map((event) => [event.id, event]));
  const pending = pendingActions([...chapters.turn, ...queued], known);
  const turn = turnOf(chapters, pending);
  const hasEnded = turn === 'over' || turn === 'terminated';
  const stopReason = idle && stopReasonOf(idle);
  const isExhausted = stopReason?.type === 'retries_exhausted';
  const error = turn === 'queued' ? undefined : turnError(chapters.turn, isExhausted);
  // Back to the beginning of the turn is far enough.
  const isTurnKnown = chapters.turn.length < log.length;
  const isTold = status !== undefined && isTurnKnown && pending.every(({ toolUseId }) => known.has(toolUseId));
  return {
    status,
    turn,
    stopReason,
    stopDetails: idle && recordOf(idle.stop_details),
    failed: hasEnded && (isExhausted || error !== undefined),
    error,
    pendingActions: OPEN_TURNS.has(turn) ? pending : [],
    lastMessage: chapters.turn.findLast(({ type }) => type === 'agent.message'),
    evaluation: chapters.turn.findLast(({ type }) => type === 'span.outcome_evaluation_end'),
    interrupted: chapters.turn.some(({ type }) => type === 'user.interrupt'),
    queuedInputs: queued.filter(isWork).length,
    ...newestUsage(log),
    complete: reachesStart || isTold,
  };
}

function split(tail: readonly LogEvent[]): Chapters {
  const events = distinct(tail);
  const log = events.filter((event) => !isQueued(event));
  const newest = log.findLastIndex((event) => statusOf(event) !== undefined);
  const newestEvent = log[newest];
  const status = newestEvent && statusOf(newestEvent);
  const turnStart = log.findLastIndex((event, index) => index < newest && endsTurn(event)) + 1;
  return {
    log,
    queued: events.filter(isQueued),
    status,
    idle: status === 'idle' ? newestEvent : undefined,
    afterStatus: log.slice(newest + 1),
    turn: log.slice(turnStart),
  };
}

function newestUsage(log: readonly LogEvent[]): Pick<Situation, 'usage' | 'budget'> {
  const event = log.findLast(({ type }) => type === 'session.usage');
  return { usage: recordOf(event?.usage), budget: recordOf(event?.budget) };
}

/** Each event once, at its first place; one that shows up both queued and processed counts where it is processed. */
function distinct(tail: readonly LogEvent[]): LogEvent[] {
  const byIdentity = new Map<string, LogEvent>();
  for (const event of tail) {
    const id = identityOf(event);
    const known = byIdentity.get(id);
    if (known && isQueued(known) && !isQueued(event)) {
      byIdentity.delete(id);
    }
    if (!byIdentity.has(id)) {
      byIdentity.set(id, event);
    }
  }
  return [...byIdentity.values()];
}

function turnOf(chapters: Chapters, pending: readonly PendingAction[]): Turn {
  const { status, idle } = chapters;
  if (idle) {
    return turnWhileIdle(idle, chapters, pending);
  }
  if (status === undefined) {
    return turnWithoutStatus(chapters);
  }
  return status === 'terminated' ? 'terminated' : 'running';
}

function turnWithoutStatus({ log, queued }: Chapters): Turn {
  if (log.some(isModelOutput)) {
    return 'running';
  }
  return log.some(startsTurn) || queued.some(isWork) ? 'queued' : 'not_started';
}

function turnWhileIdle(idle: LogEvent, chapters: Chapters, pending: readonly PendingAction[]): Turn {
  const reason = stopReasonOf(idle)?.type;
  if (reason === 'budget_reached') {
    return chapters.afterStatus.some(changesBudget) ? 'queued' : 'budget_reached';
  }
  if (reason === 'requires_action') {
    const isAnswered = pending.length === 0 && blockingCalls(idle).length > 0;
    return isAnswered ? 'queued' : 'requires_action';
  }
  // An outcome is stamped on receipt, before the session runs. An input listed late but stamped before the idle was
  // part of the turn that ended.
  const isTakenUp = chapters.afterStatus.some((event) => startsTurn(event) && isLater(event, idle));
  if (isTakenUp || chapters.queued.some(isWork)) {
    return 'queued';
  }
  const neverRan = reason === undefined && !chapters.log.some((event) => statusOf(event) === 'running');
  return neverRan ? 'not_started' : 'over';
}

/** Whether a queued input makes the session work; an interrupt only stops it. */
function isWork(queued: LogEvent): boolean {
  return queued.type !== 'user.interrupt';
}

function isLater(event: LogEvent, than: LogEvent): boolean {
  return (stampOf(event) ?? -Infinity) > (stampOf(than) ?? Infinity);
}

/** One request answers for most sessions. */
const FIRST_PAGE_SIZE = 200;
const PAGE_SIZE = 1000;
/** How many telling events are read at most, to get back to the beginning of the turn. */
const MAX_EVENTS = 4200;

/**
 * Reads a session's situation from the newest end of its log, going back as far as needed: to the beginning of the turn,
 * within the bounds above. A log that goes on beyond them costs one request more. What `fetchPage` throws is passed on.
 *
 * @param streamed events that a stream has shown lately, in its order; the list can be a moment behind it
 */
export async function readSituation(fetchPage: FetchPage, streamed: readonly LogEvent[] = []): Promise<Situation> {
  const outline = new Outline();
  let tail: LogEvent[] = [];
  let page: string | undefined;
  let situation = situationOf(tail, false);
  for (let pages = 0, read = 0; pages < MAX_PAGES_BACK && read < MAX_EVENTS; pages += 1) {
    const limit = pages === 0 ? FIRST_PAGE_SIZE : PAGE_SIZE;
    const listed: LogPage = await fetchPage({ order: 'desc', limit, types: SITUATION_TYPES, page });
    const isNewest = page === undefined;
    page = listed.nextPage;
    read += listed.events.length;
    const events = listed.events.map((event) => outline.of(event)).toReversed();
    tail = isNewest ? mergeStreamed(events, streamed, !page) : [...events, ...tail];
    situation = situationOf(tail, !page);
    // The start of the log makes it complete as well.
    if (situation.complete) {
      break;
    }
  }
  return page ? situationOf([...(await oldestQueued(fetchPage)), ...tail], false) : situation;
}

/**
 * Queued inputs at the far end of the log: it is nowhere said where the list puts events without a stamp, and a turn
 * must not be called over while one waits.
 */
async function oldestQueued(fetchPage: FetchPage): Promise<LogEvent[]> {
  const { events } = await fetchPage({ order: 'asc', limit: 50, types: INPUT_TYPES });
  return events.filter(isQueued);
}
