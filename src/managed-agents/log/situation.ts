import { blockingCalls, type PendingAction, pendingActions } from './pending.js';
import {
  changesBudget,
  endsTurn,
  identityOf,
  isModelOutput,
  isQueued,
  type LogEvent,
  recordOf,
  type SessionStatus,
  stampOf,
  startsTurn,
  statusOf,
  type StopReason,
  stopReasonOf,
} from './event.js';

export type { PendingAction, SessionStatus, StopReason };

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
interface LogSections {
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
  const sections = split(tail);
  const { log, queued, status, idle } = sections;
  const known = new Map(log.map((event) => [event.id, event]));
  const pending = pendingActions([...sections.turn, ...queued], known);
  const turn = turnOf(sections, pending);
  const hasEnded = turn === 'over' || turn === 'terminated';
  const stopReason = idle && stopReasonOf(idle);
  const isExhausted = stopReason?.type === 'retries_exhausted';
  const error = turn === 'queued' ? undefined : turnError(sections.turn, isExhausted);
  // Back to the beginning of the turn is far enough.
  const isTurnKnown = sections.turn.length < log.length;
  const isTold = status !== undefined && isTurnKnown && pending.every(({ toolUseId }) => known.has(toolUseId));
  return {
    status,
    turn,
    stopReason,
    stopDetails: idle && recordOf(idle.stop_details),
    failed: hasEnded && (isExhausted || error !== undefined),
    error,
    pendingActions: OPEN_TURNS.has(turn) ? pending : [],
    lastMessage: sections.turn.findLast(({ type }) => type === 'agent.message'),
    evaluation: sections.turn.findLast(({ type }) => type === 'span.outcome_evaluation_end'),
    interrupted: sections.turn.some(({ type }) => type === 'user.interrupt'),
    queuedInputs: queued.filter(isWork).length,
    ...newestUsage(log),
    complete: reachesStart || isTold,
  };
}

function split(tail: readonly LogEvent[]): LogSections {
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

function turnOf(sections: LogSections, pending: readonly PendingAction[]): Turn {
  const { status, idle } = sections;
  if (idle) {
    return turnWhileIdle(idle, sections, pending);
  }
  if (status === undefined) {
    return turnWithoutStatus(sections);
  }
  return status === 'terminated' ? 'terminated' : 'running';
}

function turnWithoutStatus({ log, queued }: LogSections): Turn {
  if (log.some(isModelOutput)) {
    return 'running';
  }
  return log.some(startsTurn) || queued.some(isWork) ? 'queued' : 'not_started';
}

function turnWhileIdle(idle: LogEvent, sections: LogSections, pending: readonly PendingAction[]): Turn {
  const reason = stopReasonOf(idle)?.type;
  if (reason === 'budget_reached') {
    return sections.afterStatus.some(changesBudget) ? 'queued' : 'budget_reached';
  }
  if (reason === 'requires_action') {
    const isAnswered = pending.length === 0 && blockingCalls(idle).length > 0;
    return isAnswered ? 'queued' : 'requires_action';
  }
  // An outcome is stamped on receipt, before the session runs. An input listed late but stamped before the idle was
  // part of the turn that ended.
  const isTakenUp = sections.afterStatus.some((event) => startsTurn(event) && isLater(event, idle));
  if (isTakenUp || sections.queued.some(isWork)) {
    return 'queued';
  }
  const neverRan = reason === undefined && !sections.log.some((event) => statusOf(event) === 'running');
  return neverRan ? 'not_started' : 'over';
}

/** Whether a queued input makes the session work; an interrupt only stops it. */
function isWork(queued: LogEvent): boolean {
  return queued.type !== 'user.interrupt';
}

function isLater(event: LogEvent, than: LogEvent): boolean {
  return (stampOf(event) ?? -Infinity) > (stampOf(than) ?? Infinity);
}

/** A `session.error`, with whatever other fields the API sent. */
export interface TurnError {
  /** Open set; `unknown_error` when the API sent none. */
  readonly type: string;
  readonly message: string;
  /** `retrying`, `exhausted`, `terminal`, or newer ones. */
  readonly retryStatus?: string;
  readonly [field: string]: unknown;
}

/**
 * The newest error of a turn's events that still counts. One that the session retried by itself no longer does once
 * the model answers again, unless the retries ran out in the end.
 */
export function turnError(turn: readonly LogEvent[], retriesExhausted: boolean): TurnError | undefined {
  const lastOutput = turn.findLastIndex(isModelOutput);
  const counts = (event: LogEvent, index: number): boolean =>
    event.type === 'session.error' && (retriesExhausted || index > lastOutput || retryStatusOf(event) !== 'retrying');
  const event = turn.findLast(counts);
  return event && describe(event);
}

function describe(event: LogEvent): TurnError {
  const error = recordOf(event.error) ?? {};
  const rest = Object.fromEntries(Object.entries(error).filter(([field]) => field !== 'retry_status'));
  return {
    ...rest,
    type: typeof error.type === 'string' ? error.type : 'unknown_error',
    message: typeof error.message === 'string' ? error.message : '',
    retryStatus: retryStatusOf(event),
  };
}

function retryStatusOf(event: LogEvent): string | undefined {
  const status = recordOf(recordOf(event.error)?.retry_status)?.type;
  return typeof status === 'string' ? status : undefined;
}
