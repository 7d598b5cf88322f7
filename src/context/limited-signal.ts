/** A signal that aborts with another one, and after a time. */
export interface LimitedSignal {
  readonly signal: AbortSignal;
  /** Stops the timer: from now on only the other signal aborts it. */
  readonly stopClock: () => void;
  /** Stops both. Must be called, because the other signal may live as long as the server. */
  readonly release: () => void;
}

/** Not `AbortSignal.any`: on Node 20 a signal keeps every signal derived from it for as long as it lives itself. */
export function limitedSignal(ended: AbortSignal | null | undefined, ms: number): LimitedSignal {
  const controller = new AbortController();
  const abort = () => controller.abort();
  const timer = setTimeout(abort, ms);
  ended?.addEventListener('abort', abort, { once: true });
  if (ended?.aborted) abort();
  const stopClock = () => clearTimeout(timer);
  const release = () => {
    stopClock();
    ended?.removeEventListener('abort', abort);
  };
  return { signal: controller.signal, stopClock, release };
}
