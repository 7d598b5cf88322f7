/** Those a platform or a terminal ends a process with. */
const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

/** From now on these signals do this, and nothing that was said before. */
export function onSignals(handle: (signal: NodeJS.Signals) => void): void {
  for (const signal of SIGNALS) process.removeAllListeners(signal).on(signal, handle);
}

/**
 * While a server starts there is nothing to finish. It has to be said, because process 1 of a container does not get a
 * signal that nobody listens for.
 */
export function endAtOnceOnSignals(): void {
  onSignals(() => process.exit(0));
}
