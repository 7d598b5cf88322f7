import { ApiError } from './api-error.js';
import { EndlessLogError } from './log/reader.js';

/** A log without an end is a failure of the API like any other; every other error is passed on. To be thrown again. */
export function unreadableLog(error: unknown): unknown {
  if (!(error instanceof EndlessLogError)) return error;
  return new ApiError({ kind: 'unreadable', operation: 'list events', cause: error });
}
