import { type LogEvent } from '../../src/managed-agents/log/event.js';

/** One connection: frames wait until they are read. */
class Connection implements AsyncIterable<LogEvent> {
  private readonly frames: LogEvent[] = [];
  private isOver = false;
  private error: unknown;
  private wake: () => void = () => undefined;

  push(frame: LogEvent): void {
    this.frames.push(frame);
    this.wake();
  }

  end(error?: unknown): void {
    this.isOver = true;
    this.error ??= error;
    this.wake();
  }

  async *[Symbol.asyncIterator](): AsyncIterator<LogEvent> {
    for (;;) {
      if (this.frames.length > 0) yield this.frames.shift()!;
      else if (this.error) throw this.error as Error;
      else if (this.isOver) return;
      else await new Promise<void>((resolve) => (this.wake = resolve));
    }
  }
}

/** The stream face of a fake session: every open connection gets every frame. */
export class FakeStreams {
  private readonly connections = new Set<Connection>();
  private held: LogEvent[] | undefined;
  /** Thrown instead of opening. */
  refusal: Error | undefined;
  /** Whether frames are lost without any notice. */
  silent = false;
  opened = 0;

  get openCount(): number {
    return this.connections.size;
  }

  readonly open = (signal: AbortSignal): Promise<AsyncIterable<LogEvent>> => {
    if (this.refusal) return Promise.reject(this.refusal);
    const connection = new Connection();
    this.connections.add(connection);
    this.opened += 1;
    const close = () => {
      this.connections.delete(connection);
      connection.end();
    };
    if (signal.aborted) close();
    signal.addEventListener('abort', close, { once: true });
    return Promise.resolve(connection);
  };

  emit(frame: LogEvent): void {
    if (this.silent) return;
    if (this.held) this.held.push(frame);
    else for (const connection of this.connections) connection.push(frame);
  }

  /** Frames are late from now on. */
  hold(): void {
    this.held ??= [];
  }

  /** Late frames arrive, the last one first if they change their order. */
  release(reversed = false): void {
    const frames = this.held ?? [];
    this.held = undefined;
    for (const frame of reversed ? frames.toReversed() : frames) this.emit(frame);
  }

  /** Every connection ends: as if the API had closed it, or with an error. */
  cut(error?: unknown): void {
    for (const connection of this.connections) connection.end(error);
    this.connections.clear();
    this.held &&= [];
  }
}
