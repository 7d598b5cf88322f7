/** A signal that aborts with another one, and when its time is over. */
export interface LimitedSignal {
  readonly signal: AbortSignal;
  /** From now on time does not end it. */
  readonly stopClock: () => void;
  /** From now on nothing does. To be called, because what it listens to may live as long as the server. */
  readonly release: () => void;
}

/** Not `AbortSignal.any`: on Node 20 a signal that lives as long as the server remembers every one derived from it. */
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
