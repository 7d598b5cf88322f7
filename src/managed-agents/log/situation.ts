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
import { blockingCalls, type PendingAction, pendingActions } from './pending.js';

export type { PendingAction, SessionStatus, StopReason };

/**
 * The state of the session's turn.
 * - `not_started`: the session was never asked anything; it is idle without having finished anything.
 * - `queued`: input was sent or pending calls were answered, and the session is about to continue.
 * - `requires_action`: it waits for a client, see `pendingActions`.
 * - `budget_reached`: paused until the budget is changed.
 * - `over`: the turn has ended; the next message starts another one.
 */
export type Turn = 'not_started' | 'queued' | 'running' | 'requires_action' | 'budget_reached' | 'over' | 'terminated';

/** The state of a session, derived from its log. */
export interface Situation {
  /** From the newest status event read; undefined when there is none. */
  readonly status: SessionStatus | undefined;
  readonly turn: Turn;
  /** Of the newest `session.status_idle`, as sent; only while no other status followed. */
  readonly stopReason?: StopReason;
  readonly stopDetails?: Readonly<Record<string, unknown>>;
  /** Whether the turn has ended, and its end is an error. */
  readonly failed: boolean;
  /** The newest error after the turn's last output; of an ended turn it is why the turn failed. */
  readonly error?: TurnError;
  /** Errors in spite of which the turn went on, oldest first, such as an MCP server that refused the credential. */
  readonly warnings?: readonly TurnError[];
  readonly pendingActions: readonly PendingAction[];
  /** The turn's newest `agent.message` of the primary thread. */
  readonly lastMessage?: LogEvent;
  /** The turn's newest `span.outcome_evaluation_end`. */
  readonly evaluation?: LogEvent;
  /** Whether a client interrupted the turn; it then often ends without a message. */
  readonly interrupted: boolean;
  /** How many inputs are queued. Interrupts are not counted: they never make a session work. */
  readonly queuedInputs: number;
  /** The queued inputs themselves, interrupts included. */
  readonly queued?: readonly LogEvent[];
  /** Id of the newest event that is not queued. */
  readonly lastEventId?: string;
  /** Cumulative usage as of the newest `session.usage` read, as sent. */
  readonly usage?: Readonly<Record<string, unknown>>;
  readonly budget?: Readonly<Record<string, unknown>>;
  /** False when older events, which were not read, might change any of this. */
  readonly complete: boolean;
  /** How many entries of the log could not be read; any of them might change this. Absent when there are none. */
  readonly unreadable?: number;
}

const OPEN_TURNS: ReadonlySet<Turn> = new Set(['running', 'requires_action', 'budget_reached']);

/** The log, split into the sections that give its events their meaning. */
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
 * @param tail the newest events in log order, oldest first; repetitions are ignored. Types that don't matter here may be
 * left out.
 * @param reachesStart whether the tail is the whole log
 */
export function situationOf(tail: readonly LogEvent[], reachesStart: boolean): Situation {
  const sections = split(tail);
  const { log, queued, status, idle } = sections;
  const known = new Map(log.map((event) => [event.id, event]));
  const pending = pendingActions([...sections.turn, ...queued], known);
  const turn = turnOf(sections, pending);
  // The beginning of the turn is far enough back.
  const isTurnKnown = sections.turn.length < log.length;
  const isResolved = status !== undefined && isTurnKnown && pending.every(({ kind }) => kind !== 'unknown');
  return {
    status,
    turn,
    ...stopOf(idle),
    ...errorsOf(sections, turn, isTurnKnown),
    pendingActions: OPEN_TURNS.has(turn) ? pending : [],
    lastMessage: sections.turn.findLast(({ type }) => type === 'agent.message'),
    evaluation: sections.turn.findLast(({ type }) => type === 'span.outcome_evaluation_end'),
    interrupted: sections.turn.some(({ type }) => type === 'user.interrupt'),
    queuedInputs: queued.filter(isWork).length,
    ...(queued.length > 0 && { queued, lastEventId: log.at(-1)?.id }),
    ...newestUsage(log),
    complete: reachesStart || isResolved,
  };
}

/** The situation of a session whose object shows its end: nothing is pending any more, whatever the log shows. */
export function terminated(situation: Situation): Situation {
  return { ...situation, status: 'terminated', turn: 'terminated', pendingActions: [] };
}

function stopOf(idle: LogEvent | undefined): Pick<Situation, 'stopReason' | 'stopDetails'> {
  return { stopReason: idle && stopReasonOf(idle), stopDetails: idle && recordOf(idle.stop_details) };
}

/** What did not work in the turn. A queued one has not had any errors yet. */
function errorsOf(
  { turn: events, idle }: LogSections,
  turn: Turn,
  followsTurn: boolean,
): Pick<Situation, 'failed' | 'error' | 'warnings'> {
  if (turn === 'queued') return { failed: false, error: undefined };
  const stopReason = idle && stopReasonOf(idle);
  const isErrorStop = stopReason !== undefined && isError(stopReason);
  const { error, warnings = [] } = turnErrors(events, followsTurn, isErrorStop);
  const hasEnded = turn === 'over' || turn === 'terminated';
  return {
    failed: hasEnded && (isErrorStop || error !== undefined),
    error,
    ...(warnings.length > 0 && { warnings }),
  };
}

/**
 * An input without a stamp is queued while it stands behind every status event of the list. With a later one behind it,
 * the session has processed it: some servers never stamp an input.
 */
function split(tail: readonly LogEvent[]): LogSections {
  const events = distinct(tail);
  const lastStatus = events.findLastIndex((event) => statusOf(event) !== undefined);
  const isWaiting = (event: LogEvent, index: number) => isQueued(event) && index > lastStatus;
  const log = events.filter((event, index) => !isWaiting(event, index));
  const newest = log.findLastIndex((event) => statusOf(event) !== undefined);
  const newestEvent = log[newest];
  const status = newestEvent && statusOf(newestEvent);
  const turnStart = log.findLastIndex((event, index) => index < newest && endsTurn(event)) + 1;
  return {
    log,
    queued: events.filter(isWaiting),
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
  const startsNext = sections.afterStatus.some((event) => startsTurn(event) && isLater(event, idle));
  if (startsNext || sections.queued.some(isWork)) {
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

/** A `session.error`, with all its fields as the API sent them. */
export interface TurnError {
  /** Open set; `unknown_error` when the API sent none. */
  readonly type: string;
  readonly message: string;
  /** `retrying`, `exhausted`, `terminal`, or newer ones. */
  readonly retryStatus?: string;
  readonly [field: string]: unknown;
}

/** How many warnings of one turn are kept, the newest ones. */
const MAX_WARNINGS = 5;

/** Stop reasons that are errors: `retries_exhausted` and, by their names, those that this server does not know. */
function isError({ type }: StopReason): boolean {
  return type === 'retries_exhausted' || /error|failed|failure/.test(type);
}

/**
 * Sorts the errors of a turn: the newest one without model output after it is its error; earlier ones, in spite of which
 * the turn went on, are warnings, unless the session recovered from them by a retry. An error stop reason makes the newest
 * error the reason, also when the model answered after it.
 *
 * @param followsTurn whether another turn precedes: its errors can be listed after its idle, before this turn runs
 */
function turnErrors(
  turn: readonly LogEvent[],
  followsTurn: boolean,
  isErrorStop: boolean,
): Pick<Situation, 'error' | 'warnings'> {
  const runs = followsTurn ? turn.findIndex((event) => statusOf(event) === 'running') : 0;
  const own = turn.slice(Math.max(runs, 0));
  const lastOutput = own.findLastIndex(isModelOutput);
  const isFinal = (event: LogEvent, index: number) =>
    event.type === 'session.error' && (isErrorStop || index > lastOutput);
  const reason = own.findLast(isFinal);
  const earlier = own.filter(
    (event) => event.type === 'session.error' && event !== reason && own.indexOf(event) < lastOutput,
  );
  const warnings = earlier.map(describe).filter((error) => !isRecovered(error));
  const distinctWarnings = new Map(warnings.map((error) => [JSON.stringify(error), error]));
  return { error: reason && describe(reason), warnings: [...distinctWarnings.values()].slice(-MAX_WARNINGS) };
}

/** A model error that the session retried, with output after it. */
function isRecovered({ type, retryStatus }: TurnError): boolean {
  return retryStatus === 'retrying' && !/^(mcp|credential|repository)_/.test(type);
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
