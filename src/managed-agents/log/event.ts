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
