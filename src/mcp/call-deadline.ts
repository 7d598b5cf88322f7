import { AsyncLocalStorage } from 'node:async_hooks';

const storage = new AsyncLocalStorage<number>();

/**
 * Runs `work`; every tool call within it has an answer by then (milliseconds as of `Date.now()`). For entries whose
 * process is ended or frozen at a time they know: neither the tools nor the API client know which entry that is.
 */
export function answerBy<T>(time: number, work: () => T): T {
  return storage.run(time, work);
}

/** By when the running call has to be answered; undefined where it may take as long as it likes. */
export function callDeadline(): number | undefined {
  return storage.getStore();
}

/** A signal that aborts with `ended`, and at the deadline of the running call. */
export function endOfCall(ended: AbortSignal): { signal: AbortSignal; dispose: () => void } {
  const deadline = callDeadline();
  if (deadline === undefined) return { signal: ended, dispose: () => undefined };
  const controller = new AbortController();
  const abort = () => controller.abort();
  const timer = setTimeout(abort, deadline - Date.now());
  // Not AbortSignal.any: on Node 20 a signal that lives as long as the server remembers every one derived from it.
  ended.addEventListener('abort', abort, { once: true });
  if (ended.aborted) abort();
  const dispose = () => {
    clearTimeout(timer);
    ended.removeEventListener('abort', abort);
  };
  return { signal: controller.signal, dispose };
}
