/** Something read from the API: one request serves all who ask meanwhile, and its answer is kept until it is stale. */
export class SharedRead<T> {
  private current: { readonly reading: Promise<T>; readonly since: number } | undefined;

  constructor(private readonly read: () => Promise<T>) {}

  /** The next one who asks gets a new reading; those who wait for the running one still get its answer. */
  expire(): void {
    this.current = undefined;
  }

  /** The answer of a reading that began at most `maxAgeMs` ago. */
  get(maxAgeMs: number): Promise<T> {
    const now = performance.now();
    if (this.current && now - this.current.since <= maxAgeMs) return this.current.reading;
    const reading = this.read();
    const current = { reading, since: now };
    this.current = current;
    reading.catch(() => {
      if (this.current === current) this.current = undefined;
    });
    return reading;
  }
}
