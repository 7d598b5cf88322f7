import { ApiError } from '../api-error.js';
import { boundNesting } from '../bound-nesting.js';
import { type FetchPage, type LogEvent } from '../log/event.js';
import { backoffMs, pause } from '../timing.js';
import { type ReadShare } from './read-budget.js';

/** The two sources of a session's events: the list is complete, the stream is fast. */
export interface LogSource {
  readonly fetchPage: FetchPage;
  /** The status of the session object. It lags the log, but can show an end that the log lacks. */
  readonly fetchStatus?: () => Promise<string>;
  /**
   * Opens the stream. After this resolves, the stream carries every new event; it replays none. The iteration ends or
   * throws when the connection does, and at once when `signal` aborts.
   */
  open(signal: AbortSignal): Promise<AsyncIterable<LogEvent>>;
}

/** A stream without a frame for this long counts as broken, in milliseconds. Comment lines are not frames. */
const SILENCE_MS = 90_000;
const FIRST_DELAY_MS = 500;
const MAX_DELAY_MS = 10_000;
/** Longest `retry-after` that is respected before the stream is tried again, in milliseconds. */
const MAX_RETRY_AFTER_MS = 60_000;

/** Receives the events of a stream that is kept open. */
export interface StreamObserver {
  /** The stream is open. Earlier events have to be read from the list. */
  opened(): void;
  frame(event: LogEvent): void;
  /** No stream is open until `opened` is called again. Called for every failed attempt. */
  lost(reason: unknown): void;
}

/**
 * Keeps a session's stream open until `signal` aborts. A stream that breaks, ends or stays silent is opened again after a
 * pause, which doubles while attempts deliver no frame. Never rejects.
 */
export async function keepStreaming(
  source: LogSource,
  budget: ReadShare,
  observer: StreamObserver,
  signal: AbortSignal,
): Promise<void> {
  for (let failures = 0; !signal.aborted; failures += 1) {
    await budget.take(signal);
    if (signal.aborted) return;
    const stream = new StreamAttempt(source, observer, signal);
    const reason = await stream.run();
    if (signal.aborted) return;
    if (stream.frames > 0) failures = 0;
    observer.lost(reason);
    await pause(delayMs(failures, reason), signal);
  }
}

function delayMs(failures: number, reason: unknown): number {
  const requested = reason instanceof ApiError ? (reason.details.retryAfterSeconds ?? 0) * 1000 : 0;
  return Math.max(backoffMs(failures, FIRST_DELAY_MS, MAX_DELAY_MS), Math.min(requested, MAX_RETRY_AFTER_MS));
}

/** One connection, from its opening to its end. */
class StreamAttempt {
  frames = 0;
  private readonly connection = new AbortController();
  private watchdog: NodeJS.Timeout | undefined;

  constructor(
    private readonly source: LogSource,
    private readonly observer: StreamObserver,
    private readonly signal: AbortSignal,
  ) {}

  /** Resolves to the error that ended the connection; undefined when the API closed it. */
  async run(): Promise<unknown> {
    const close = () => this.connection.abort();
    this.signal.addEventListener('abort', close, { once: true });
    try {
      this.expectFrame();
      const stream = await this.source.open(this.connection.signal);
      this.observer.opened();
      for await (const frame of stream) this.take(frame);
      return undefined;
    } catch (error) {
      return error;
    } finally {
      clearTimeout(this.watchdog);
      this.signal.removeEventListener('abort', close);
      close();
    }
  }

  private take(frame: LogEvent): void {
    if (this.connection.signal.aborted) return;
    this.expectFrame();
    if (typeof (frame as Partial<LogEvent> | null)?.type !== 'string') return;
    this.frames += 1;
    this.observer.frame(boundNesting(frame) as LogEvent);
  }

  private expectFrame(): void {
    clearTimeout(this.watchdog);
    this.watchdog = setTimeout(() => this.connection.abort(), SILENCE_MS);
  }
}
