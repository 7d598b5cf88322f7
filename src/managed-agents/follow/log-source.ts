import { type FetchPage, type LogEvent } from '../log/event.js';

/** Where a session's events come from: the list, which is complete, and the stream, which is quick. */
export interface LogSource {
  readonly fetchPage: FetchPage;
  /**
   * Opens the stream. Once this resolves, whatever happens is in the stream; it replays nothing. The iteration ends or
   * throws when the connection does, and at once when `signal` aborts.
   */
  open(signal: AbortSignal): Promise<AsyncIterable<LogEvent>>;
}
