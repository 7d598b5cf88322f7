/** Where audit lines go. Writing never waits and never throws. */
export interface AuditSink {
  write(line: string): void;
  /** False while lines are known not to arrive. */
  readonly ready: boolean;
  /** Tries to deliver what waits, once if that fails, within `ms` milliseconds. What is left goes on waiting. */
  flush(ms: number): Promise<void>;
  /** Tries once more to deliver what is left, within a bounded time. */
  close(withinMs: number): Promise<void>;
}

/** stderr, in every mode: in stdio mode stdout belongs to the protocol. */
export class StderrSink implements AuditSink {
  readonly ready = true;

  write(line: string): void {
    process.stderr.write(`${line}\n`);
  }

  flush(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
