import { randomUUID } from 'node:crypto';
import { currentUpstreamRequests } from '../managed-agents/upstream-requests.js';

/** The header in which a request is given its id, and answered with it. */
export const REQUEST_ID_HEADER = 'x-request-id';

/** It ends up in headers and logs, so it is short and plain. */
const WELL_FORMED = /^[\w.:-]{1,128}$/;

/** The id that a client or proxy gave its request, if it can be used; otherwise a new one. */
export function requestIdOf(header: string | readonly string[] | undefined): string {
  return typeof header === 'string' && WELL_FORMED.test(header) ? header : randomUUID();
}

/** The id of the request that is being served; a new one where nothing has given it any, as over stdio. */
export function currentRequestId(): string {
  return currentUpstreamRequests()?.requestId ?? randomUUID();
}
