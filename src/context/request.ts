import { randomUUID } from 'node:crypto';
import { type Context } from '@opentelemetry/api';
import { type RequestContext, store } from './store.js';

export { type RequestContext } from './store.js';

/** The header in which a request is given its id, and answered with it. */
export const REQUEST_ID_HEADER = 'x-request-id';

/** The id appears in headers and logs, so it is short and plain. */
const WELL_FORMED = /^[\w.:-]{1,128}$/;

const MAX_UPSTREAM_REQUEST_IDS = 20;

/** The id that a client or proxy gave its request, if it can be used; otherwise a new one. */
export function requestIdOf(header: string | readonly string[] | undefined): string {
  return typeof header === 'string' && WELL_FORMED.test(header) ? header : randomUUID();
}

/**
 * Runs `work` as a request of its own. What is not given is taken from the request around it: an entry that knows only
 * the deadline (a process that is ended or frozen at a known time) sets that, and the HTTP server adds the id.
 */
export function runRequest<T>(known: Pick<RequestContext, 'requestId' | 'deadline' | 'caller'>, work: () => T): T {
  const outer = store.getStore();
  const { requestId = outer?.request?.requestId, deadline = outer?.request?.deadline, caller } = known;
  return store.run({ request: { requestId, deadline, caller, upstreamRequestIds: [] }, trace: outer?.trace }, work);
}

/** The request that this code runs for; undefined outside of any. */
export function currentRequest(): RequestContext | undefined {
  return store.getStore()?.request;
}

/** Whether the time is over in which the request must be answered. */
export function isOverdue(): boolean {
  const deadline = currentRequest()?.deadline;
  return deadline !== undefined && Date.now() >= deadline;
}

/** The id of the request that is being served; a new one where the transport has none, such as stdio. */
export function currentRequestId(): string {
  return currentRequest()?.requestId ?? randomUUID();
}

/** Tells the caller of the current request from others, to share something fairly; the same text where none is known. */
export function currentCaller(): string {
  return currentRequest()?.caller ?? '';
}

/** Records the `request-id` of a response of the API. */
export function noteUpstreamRequestId(id: string | null): void {
  const ids = currentRequest()?.upstreamRequestIds;
  if (ids && id !== null && ids.length < MAX_UPSTREAM_REQUEST_IDS) ids.push(id);
}

/** Runs work that outlives the request that caused it, or that several requests share: it belongs to none of them. */
export function runDetached<T>(work: () => T): T {
  return store.exit(work);
}

/** The active trace context; undefined outside of any trace. */
export function currentTrace(): Context | undefined {
  return store.getStore()?.trace;
}

/** Runs `work` with this trace context, within the same request and tool call. */
export function runInTrace<T>(trace: Context, work: () => T): T {
  const outer = store.getStore();
  return store.run({ request: outer?.request, call: outer?.call, trace }, work);
}
