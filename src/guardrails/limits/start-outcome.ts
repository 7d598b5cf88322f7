import { type ToolCall } from '../../context/call.js';

/**
 * Reasons with which a start fails without a session having been made: the API's own refusals, and requests that never
 * left. Whatever else happened (a lost answer, a 5xx), there may be a session.
 */
const NOTHING_WAS_MADE: ReadonlySet<string | undefined> = new Set([
  'invalid_request_error',
  'authentication_error',
  'billing_error',
  'permission_error',
  'not_found_error',
  'request_too_large',
  'rate_limit_error',
  'connection',
  'credentials',
]);

/** Whether it is certain that an ended call started no session. */
export function startedNothing({ outcome, reason, createdSessionId }: ToolCall): boolean {
  if (createdSessionId !== undefined || outcome === 'ok') return false;
  return outcome !== 'failed' || NOTHING_WAS_MADE.has(reason);
}
