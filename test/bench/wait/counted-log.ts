import { type LogSource } from '../../../src/managed-agents/follow/stream-loop.js';
import { type LogEvent, type LogPage, type LogQuery } from '../../../src/managed-agents/log/event.js';
import { parseTime, type Session } from '../../simulator/index.js';

/** How long the API takes to answer, in milliseconds. */
const ANSWER_MS = 100;

/** How often the API was asked. */
export interface Requests {
  streams: number;
  pages: number;
}

/** A simulated session's log as {@link LogSource}, without a network in between; every request is counted. */
export class CountedLog implements LogSource {
  constructor(
    private readonly session: Session,
    private readonly requests: Requests,
  ) {}

  readonly fetchPage = async (query: LogQuery): Promise<LogPage> => {
    this.requests.pages += 1;
    await delay(ANSWER_MS);
    const matching = this.matching(query);
    const start = Number(query.page ?? 0);
    const end = start + query.limit;
    return { events: matching.slice(start, end), nextPage: end < matching.length ? String(end) : undefined };
  };

  async open(signal: AbortSignal): Promise<AsyncIterable<LogEvent>> {
    this.requests.streams += 1;
    await delay(ANSWER_MS);
    return framesOf(this.session, signal);
  }

  private matching({ order, types, from }: LogQuery): LogEvent[] {
    const since = from === undefined ? -Infinity : parseTime(from)!;
    const events = this.session.log.entries
      .filter(({ at, event }) => (at ?? Infinity) >= since && (types?.includes(event.type) ?? true))
      .map(({ event }) => event as unknown as LogEvent);
    return order === 'asc' ? events : events.toReversed();
  }
}

async function* framesOf({ log }: Session, signal: AbortSignal): AsyncGenerator<LogEvent> {
  const frames: LogEvent[] = [];
  let wake = (): void => undefined;
  const unsubscribe = log.subscribe((frame) => {
    // Previews are for those who ask for them.
    if ('id' in frame) frames.push(frame as unknown as LogEvent);
    wake();
  });
  const aborted = () => wake();
  signal.addEventListener('abort', aborted);
  try {
    while (!signal.aborted) {
      yield* frames.splice(0);
      if (frames.length === 0) await new Promise<void>((resolve) => (wake = resolve));
    }
  } finally {
    unsubscribe();
    signal.removeEventListener('abort', aborted);
  }
}

export function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
