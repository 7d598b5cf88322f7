import { AsyncLocalStorage } from 'node:async_hooks';
import { type Context } from '@opentelemetry/api';

/** What one piece of work has to do with the API, wherever in it a request is made. */
export interface UpstreamRequests {
  /** The `request-id` of every response received. */
  readonly requestIds: string[];
  /** Names the request this work is done for, from its arrival to the API; in logs, and sent along. */
  readonly requestId?: string;
  /** Aborts when the work is ended from outside; its requests end with it. */
  readonly ended?: AbortSignal;
}

/** What follows the work through every await. */
interface Scope {
  readonly requests?: UpstreamRequests;
  /** Where in a trace the work is, while there are traces. */
  readonly trace?: Context;
}

const MAX_REQUEST_IDS = 20;
/** One for all: each asynchronous store costs something at every await. */
const storage = new AsyncLocalStorage<Scope>();

/** Runs `work` and lets the API client note its request ids in `requests`. */
export function collectUpstreamRequests<T>(requests: UpstreamRequests, work: () => T): T {
  return storage.run({ requests, trace: storage.getStore()?.trace }, work);
}

/** What the running work collects into; undefined outside of any. */
export function currentUpstreamRequests(): UpstreamRequests | undefined {
  return storage.getStore()?.requests;
}

/** Called by the API client for each response. */
export function noteUpstreamResponse(requestId: string | null): void {
  const requests = currentUpstreamRequests();
  if (requests && requestId !== null && requests.requestIds.length < MAX_REQUEST_IDS)
    requests.requestIds.push(requestId);
}

/** Runs work that outlives the piece of work that caused it, or is shared by several: it belongs to none of them. */
export function detachUpstreamRequests<T>(work: () => T): T {
  return storage.exit(work);
}

/** Where in a trace the running work is; undefined outside of any trace. */
export function currentTrace(): Context | undefined {
  return storage.getStore()?.trace;
}

/** Runs `work` at this place of a trace. It still belongs to the same piece of work. */
export function runInTrace<T>(trace: Context, work: () => T): T {
  return storage.run({ requests: storage.getStore()?.requests, trace }, work);
}
