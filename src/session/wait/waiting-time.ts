/** Why a wait was ended from outside. */
export type End = 'timeout' | 'draining' | 'cancelled';

/** How long a wait may last: until its time is up, the server shuts down, or the call is cancelled. */
export class WaitingTime {
  /** Aborts when the time is over. */
  readonly over = new AbortController();
  private ended: End | undefined;
  private readonly timer: NodeJS.Timeout;
  private readonly finished: Promise<void>;

  constructor(
    ms: number,
    private readonly cancelled: AbortSignal,
    private readonly draining: AbortSignal,
  ) {
    this.finished = new Promise((resolve) => this.over.signal.addEventListener('abort', () => resolve()));
    this.timer = setTimeout(this.onTimeout, ms);
    cancelled.addEventListener('abort', this.onCancel);
    draining.addEventListener('abort', this.onDrain);
    if (cancelled.aborted) this.onCancel();
    else if (draining.aborted) this.onDrain();
  }

  get end(): End | undefined {
    return this.ended;
  }

  /** The result of `work`, or undefined as soon as the time is over; the work then continues unobserved. */
  until<T>(work: Promise<T>): Promise<T | undefined> {
    return Promise.race([work, this.finished.then(() => undefined)]);
  }

  dispose(): void {
    clearTimeout(this.timer);
    this.cancelled.removeEventListener('abort', this.onCancel);
    this.draining.removeEventListener('abort', this.onDrain);
    // Ends every pause within this wait.
    this.over.abort();
  }

  private readonly onTimeout = () => this.finish('timeout');
  private readonly onCancel = () => this.finish('cancelled');
  private readonly onDrain = () => this.finish('draining');

  private finish(end: End): void {
    this.ended ??= end;
    this.over.abort();
  }
}
