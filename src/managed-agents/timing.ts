/** Resolves after `ms` milliseconds, or as soon as `signal` aborts. Never rejects, and leaves no timer or listener. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
  });
}

/** The delay before attempt `attempt` (0 is the first): doubles from `firstMs` to `maxMs`, minus a random part of up to a quarter. */
export function backoffMs(attempt: number, firstMs: number, maxMs: number): number {
  const full = Math.min(maxMs, firstMs * 2 ** attempt);
  return full * (1 - Math.random() / 4);
}
