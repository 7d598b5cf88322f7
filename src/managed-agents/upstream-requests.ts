import { AsyncLocalStorage } from 'node:async_hooks';

/** What one piece of work has to do with the API, wherever in it a request is made. */
export interface UpstreamRequests {
  /** The `request-id` of every response received. */
  readonly requestIds: string[];
  /** Aborts when the work is ended from outside; its requests end with it. */
  readonly ended?: AbortSignal;
}

const MAX_REQUEST_IDS = 20;
const storage = new AsyncLocalStorage<UpstreamRequests>();

/** Runs `work` and lets the API client note its request ids in `requests`. */
export function collectUpstreamRequests<T>(requests: UpstreamRequests, work: () => T): T {
  return storage.run(requests, work);
}

/** What the running work collects into; undefined outside of any. */
export function currentUpstreamRequests(): UpstreamRequests | undefined {
  return storage.getStore();
}

/** Called by the API client for each response. */
export function noteUpstreamResponse(requestId: string | null): void {
  const requests = storage.getStore();
  if (requests && requestId !== null && requests.requestIds.length < MAX_REQUEST_IDS)
    requests.requestIds.push(requestId);
}

/** Runs work that outlives the piece of work that caused it, or is shared by several: it belongs to none of them. */
export function detachUpstreamRequests<T>(work: () => T): T {
  return storage.exit(work);
}
