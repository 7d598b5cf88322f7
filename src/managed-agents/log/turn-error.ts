import { type LogEvent } from './event.js';
import { recordOf } from './fields.js';
import { isModelOutput } from './vocabulary.js';

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
