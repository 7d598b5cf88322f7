/**
 * A counting semaphore that grants permits in order of request. Not the one of `async-mutex`: a waiting read must give up
 * when its own signal aborts, and that one can only cancel all of them.
 */
export class ReadPermits {
  private readonly waiting = new Set<() => void>();

  constructor(private free: number) {}

  /** Rejects with the signal's reason when that aborts first. */
  async acquire(signal: AbortSignal): Promise<void> {
    if (this.free > 0) {
      this.free -= 1;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const abandon = () => {
        this.waiting.delete(proceed);
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- the reason belongs to the owner of the signal
        reject(signal.reason);
      };
      const proceed = () => {
        signal.removeEventListener('abort', abandon);
        resolve();
      };
      if (signal.aborted) return abandon();
      signal.addEventListener('abort', abandon, { once: true });
      this.waiting.add(proceed);
    });
  }

  release(): void {
    const [next] = this.waiting;
    if (!next) {
      this.free += 1;
      return;
    }
    this.waiting.delete(next);
    next();
  }
}

/** The permit of one read, taken when the read turns out to be large. For sequential use. */
export class ReadPermit {
  private isHeld = false;

  constructor(private readonly permits: ReadPermits) {}

  async acquire(signal: AbortSignal): Promise<void> {
    if (this.isHeld) return;
    await this.permits.acquire(signal);
    this.isHeld = true;
  }

  release(): void {
    if (this.isHeld) this.permits.release();
    this.isHeld = false;
  }
}
