/** A number of places, given in the order in which they are asked for. */
export class Turns {
  private readonly waiting = new Set<() => void>();

  constructor(private free: number) {}

  /** Rejects with the signal's reason when that aborts first. */
  async take(signal: AbortSignal): Promise<void> {
    if (this.free > 0) {
      this.free -= 1;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const giveUp = () => {
        this.waiting.delete(begin);
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- whatever the signal's owner says
        reject(signal.reason);
      };
      const begin = () => {
        signal.removeEventListener('abort', giveUp);
        resolve();
      };
      if (signal.aborted) return giveUp();
      signal.addEventListener('abort', giveUp, { once: true });
      this.waiting.add(begin);
    });
  }

  giveBack(): void {
    const [next] = this.waiting;
    if (!next) {
      this.free += 1;
      return;
    }
    this.waiting.delete(next);
    next();
  }
}

/** The place of one piece of work, which takes it when it turns out to need one. Not to be used twice at a time. */
export class Turn {
  private isTaken = false;

  constructor(private readonly turns: Turns) {}

  async take(signal: AbortSignal): Promise<void> {
    if (this.isTaken) return;
    await this.turns.take(signal);
    this.isTaken = true;
  }

  end(): void {
    if (this.isTaken) this.turns.giveBack();
    this.isTaken = false;
  }
}
