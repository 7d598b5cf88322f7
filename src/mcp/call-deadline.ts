import { AsyncLocalStorage } from 'node:async_hooks';
import { type LimitedSignal, limitedSignal } from '../managed-agents/limited-signal.js';

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
export function endOfCall(ended: AbortSignal): Pick<LimitedSignal, 'signal' | 'release'> {
  const deadline = callDeadline();
  if (deadline === undefined) return { signal: ended, release: () => undefined };
  return limitedSignal(ended, deadline - Date.now());
}
