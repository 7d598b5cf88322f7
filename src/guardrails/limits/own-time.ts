/** In milliseconds. */
const SLICE_MS = 100;

/**
 * Time in which this process could have received an answer, in slices: a slice that took longer, because the event loop was
 * busy or the process was suspended, counts once. Between two slices the event loop reads what has arrived.
 */
class OwnTime {
  private timer?: NodeJS.Timeout;
  private readonly startedAt = performance.now();
  private countedMs = 0;

  /** Resolves after `ms` of own time, and never once it is stopped. */
  pass(ms: number): Promise<void> {
    return new Promise((resolve) => this.next(ms, resolve));
  }

  stop(): void {
    clearTimeout(this.timer);
  }

  /** How much longer the clock on the wall says it was. */
  get stalledMs(): number {
    return performance.now() - this.startedAt - this.countedMs;
  }

  private next(msLeft: number, resolve: () => void): void {
    if (msLeft <= 0) return resolve();
    this.timer = setTimeout(
      () => {
        this.countedMs += Math.min(SLICE_MS, msLeft);
        this.next(msLeft - SLICE_MS, resolve);
      },
      Math.min(SLICE_MS, msLeft),
    );
  }
}

/** What became of work that had `ms` of own time; `stalledMs` is how long this process could not react meanwhile. */
export type InOwnTime<T> = { readonly stalledMs: number } & ({ readonly value: T } | { readonly error: unknown });

/** Waits for `work`, but no longer than `ms` of own time, after which it has failed. Never rejects. */
export async function inOwnTime<T>(ms: number, work: () => Promise<T>): Promise<InOwnTime<T>> {
  const time = new OwnTime();
  const late = time.pass(ms).then(() => {
    throw new Error('Command timed out');
  });
  try {
    return { value: await Promise.race([work(), late]), stalledMs: time.stalledMs };
  } catch (error) {
    return { error, stalledMs: time.stalledMs };
  } finally {
    time.stop();
  }
}

/** Resolves after `ms` of own time. */
export function ownPause(ms: number): Promise<void> {
  return new OwnTime().pass(ms);
}
