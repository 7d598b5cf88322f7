import { isJsonObject, type JsonObject } from '../../common/json.js';
import { parseTime } from './time.js';

/**
 * One entry of a session's event log as the API sends it. The set of event types, stop reasons and fields is open:
 * whatever is unknown here is passed through untouched.
 */
export interface LogEvent {
  readonly id: string;
  readonly type: string;
  /** RFC 3339 with microseconds; null or absent while an input event waits in the queue. */
  readonly processed_at?: string | null;
  readonly [field: string]: unknown;
}

/** One page of a session's event log. */
export interface LogPage {
  readonly events: readonly LogEvent[];
  /** Opaque cursor of the following page; absent on the last one. */
  readonly nextPage?: string;
  /** How large the page was when it came from the API. */
  readonly bytes?: number;
  /** How many entries of the page cannot be read and were left out. */
  readonly unreadable?: number;
}

/**
 * How many pages are read at most to look back in a log. Pages of large events hold fewer than asked for, so it is this
 * that bounds the requests then, and the number of events otherwise.
 */
export const MAX_PAGES_BACK = 20;

/** What the reader of a log asks for. Times compare `processed_at`, inclusively. */
export interface LogQuery {
  readonly order: 'asc' | 'desc';
  readonly limit: number;
  readonly types?: readonly string[];
  readonly from?: string;
  readonly page?: string;
}

/** Fetches one page of one session's log. */
export type FetchPage = (query: LogQuery) => Promise<LogPage>;

/** `processed_at` in microseconds since 1970; undefined while the event waits in the queue (or the stamp is unreadable). */
export function stampOf(event: LogEvent): number | undefined {
  return typeof event.processed_at === 'string' ? parseTime(event.processed_at) : undefined;
}

/** What distinguishes two events: the id, or type and stamp for the `user.interrupt` events the API stores without one. */
export function identityOf(event: LogEvent): string {
  const id = textOf(event, 'id') ?? '';
  return id === '' ? `${textOf(event, 'type')}@${textOf(event, 'processed_at')}` : id;
}

/** A field's value when it is a string. */
export function textOf(event: LogEvent, field: string): string | undefined {
  const value = event[field];
  return typeof value === 'string' ? value : undefined;
}

/** A value when it is a plain JSON object. */
export function recordOf(value: unknown): JsonObject | undefined {
  return isJsonObject(value) ? value : undefined;
}

export type SessionStatus = 'idle' | 'running' | 'rescheduling' | 'terminated';

/** Why a session or thread stopped. The set of types is open, and so are the fields, as `event_ids`. */
export interface StopReason {
  readonly type: string;
  readonly [field: string]: unknown;
}

const STATUSES: ReadonlyMap<string, SessionStatus> = new Map([
  ['session.status_idle', 'idle'],
  ['session.status_running', 'running'],
  ['session.status_rescheduled', 'rescheduling'],
  ['session.status_terminated', 'terminated'],
]);

/** Inputs the API documents; the set is open. */
export const INPUT_TYPES = [
  'user.message',
  'user.interrupt',
  'user.tool_confirmation',
  'user.custom_tool_result',
  'user.tool_result',
  'user.define_outcome',
  'system.message',
] as const;

/** Every event type that shows what a session is doing. */
export const SITUATION_TYPES: readonly string[] = [
  ...STATUSES.keys(),
  ...INPUT_TYPES,
  'session.error',
  'session.usage',
  'session.updated',
  'session.thread_status_idle',
  'session.thread_status_terminated',
  'agent.message',
  'agent.thinking',
  'agent.tool_use',
  'agent.tool_result',
  'agent.mcp_tool_use',
  'agent.mcp_tool_result',
  'agent.custom_tool_use',
  'span.model_request_end',
  'span.outcome_evaluation_end',
];

/** The status a session takes with this event; undefined for every other event. */
export function statusOf(event: LogEvent): SessionStatus | undefined {
  return STATUSES.get(event.type);
}

export function stopReasonOf(event: LogEvent): StopReason | undefined {
  const reason = recordOf(event.stop_reason);
  return typeof reason?.type === 'string' ? (reason as StopReason) : undefined;
}

/** Whether a session's turn ends with this event. Only two stop reasons leave it open; new ones are taken to end it. */
export function endsTurn(event: LogEvent): boolean {
  return event.type === 'session.status_idle' && stopsForGood(event);
}

/** Whether an idle event of a session or thread says that nothing is left to wait for. */
export function stopsForGood(idle: LogEvent): boolean {
  const reason = stopReasonOf(idle)?.type;
  return reason !== 'requires_action' && reason !== 'budget_reached';
}

/** Whether this is an input that waits in the queue. */
export function isQueued(event: LogEvent): boolean {
  return !event.processed_at && /^(user|system)\./.test(textOf(event, 'type') ?? '');
}

/** Whether this input makes an idle session work again. */
export function startsTurn(event: LogEvent): boolean {
  return event.type === 'user.message' || event.type === 'user.define_outcome';
}

/** Whether this event changed or removed the session's budget, which lets a session paused by it go on. */
export function changesBudget(event: LogEvent): boolean {
  return event.type === 'session.updated' && event.budget !== undefined;
}

/** Whether the model answered: proof that a retry succeeded. */
export function isModelOutput(event: LogEvent): boolean {
  switch (event.type) {
    case 'agent.message':
    case 'agent.thinking':
    case 'agent.tool_use':
    case 'agent.mcp_tool_use':
    case 'agent.custom_tool_use':
      return true;
    case 'span.model_request_end':
      return event.is_error !== true;
    default:
      return false;
  }
}
