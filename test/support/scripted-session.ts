import { ApiError } from '../../src/managed-agents/api-error.js';
import { type LogSource } from '../../src/managed-agents/follow/stream-loop.js';
import { type OperationId } from '../../src/managed-agents/operations.js';
import { type FetchPage, type LogEvent, type LogQuery } from '../../src/managed-agents/log/event.js';
import { identityOf, stampOf } from '../../src/managed-agents/log/event.js';
import { parseTime } from '../../src/managed-agents/log/time.js';
import { FakeStreams } from './fake-streams.js';
import { type Happening } from './session-life.js';

/** Something that goes wrong from a time on, for a while (in ms). */
export interface Fault {
  readonly kind:
    | 'list refused'
    | 'list hangs'
    | 'list lags'
    | 'stream refused'
    | 'stream hangs'
    | 'stream cut'
    | 'stream silent'
    | 'stream late'
    | 'garbage';
  readonly from: number;
  readonly lasts: number;
  /** How far a list lags or a frame is late, in ms. */
  readonly ms?: number;
  readonly status?: number;
  readonly retryAfterSeconds?: number;
}

/** As long as the API client lets one attempt take. */
const REQUEST_TIMEOUT_MS = 10_000;
const TEN_MB = 'x'.repeat(10_000_000);
const GARBAGE: readonly unknown[] = [
  null,
  5,
  'text',
  [],
  {},
  { type: 5 },
  { type: 'session.status_idle_soon' },
  { id: 'sevt_big', type: 'agent.thread_message_received', content: TEN_MB },
];

/** A session that lives in virtual time behind a list and a stream, both with the faults they have at the time. */
export class ScriptedSession implements LogSource {
  readonly streams = new FakeStreams();
  private readonly startedAt = performance.now();
  private readonly timers = new Set<NodeJS.Timeout>();
  private requests = 0;

  /** @param latencies of the requests, in ms; again and again */
  constructor(
    private readonly happenings: readonly Happening[],
    private readonly faults: readonly Fault[],
    private readonly latencies: readonly number[],
  ) {
    for (const { at, event } of happenings) this.later(at, () => this.show(event));
    for (const fault of faults) this.later(fault.from, () => this.begin(fault));
  }

  /** Milliseconds since the beginning. */
  get now(): number {
    return performance.now() - this.startedAt;
  }

  get timerCount(): number {
    return this.timers.size;
  }

  /** Nothing happens any more. */
  stop(): void {
    for (const timer of this.timers) clearTimeout(timer);
    this.timers.clear();
  }

  readonly fetchPage: FetchPage = async (query) => {
    const hanging = this.fault('list hangs');
    const refused = this.fault('list refused');
    await this.delay(hanging ? REQUEST_TIMEOUT_MS : this.latency());
    if (hanging) throw new ApiError({ kind: 'timeout', operation: 'sessions.events.list' });
    if (refused) throw refusal('sessions.events.list', refused);
    if (this.isDeleted()) throw refusal('sessions.events.list', { status: 404 });
    return pageOf(logOf(this.happenings, this.now - this.listLag()), query);
  };

  readonly open = async (signal: AbortSignal): Promise<AsyncIterable<LogEvent>> => {
    const hanging = this.fault('stream hangs');
    const refused = this.fault('stream refused');
    await this.delay(hanging ? REQUEST_TIMEOUT_MS : this.latency(), signal);
    if (hanging) throw new ApiError({ kind: 'timeout', operation: 'sessions.events.stream' });
    if (refused) throw refusal('sessions.events.stream', refused);
    if (this.isDeleted()) throw refusal('sessions.events.stream', { status: 404 });
    return this.streams.open(signal);
  };

  private show(event: LogEvent): void {
    this.later(this.fault('stream late')?.ms ?? 0, () => this.streams.emit(event));
    if (event.type === 'session.deleted') this.later(100, () => this.streams.cut());
  }

  private begin(fault: Fault): void {
    if (fault.kind === 'stream cut') this.streams.cut(new Error('terminated'));
    if (fault.kind === 'garbage') for (const frame of GARBAGE) this.streams.emit(frame as LogEvent);
    if (fault.kind === 'stream silent') {
      this.streams.silent = true;
      this.later(fault.lasts, () => (this.streams.silent = false));
    }
  }

  private fault(kind: Fault['kind']): Fault | undefined {
    return this.faults.find(
      (fault) => fault.kind === kind && this.now >= fault.from && this.now < fault.from + fault.lasts,
    );
  }

  private listLag(): number {
    return this.fault('list lags')?.ms ?? 0;
  }

  private isDeleted(): boolean {
    return this.happenings.some(({ at, event }) => event.type === 'session.deleted' && at <= this.now);
  }

  private latency(): number {
    this.requests += 1;
    return this.latencies[this.requests % this.latencies.length] ?? 0;
  }

  private delay(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.later(ms, resolve);
      const abort = () => {
        clearTimeout(timer);
        this.timers.delete(timer);
        resolve();
      };
      signal?.addEventListener('abort', abort, { once: true });
    });
  }

  private later(ms: number, work: () => void): NodeJS.Timeout {
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      work();
    }, ms);
    this.timers.add(timer);
    return timer;
  }
}

function refusal(operation: OperationId, { status, retryAfterSeconds }: Partial<Fault>): ApiError {
  return new ApiError({ kind: 'status', operation, status, retryAfterSeconds });
}

/** The log as far as it is listed at a time: in the order of arrival, queued inputs last. */
export function logOf(happenings: readonly Happening[], at: number): LogEvent[] {
  const processed: LogEvent[] = [];
  const queued = new Map<string, LogEvent>();
  for (const { event, at: happenedAt } of happenings) {
    if (happenedAt > at || event.type === 'session.deleted') continue;
    const key = event.id || event.type;
    if (stampOf(event) === undefined) {
      queued.set(key, event);
    } else {
      queued.delete(key);
      processed.push(event);
    }
  }
  return [...processed, ...queued.values()];
}

function pageOf(log: readonly LogEvent[], { order, limit, types, from, page }: LogQuery) {
  const since = from === undefined ? undefined : (parseTime(from) ?? NaN);
  const isWanted = (event: LogEvent) =>
    (types?.includes(event.type) ?? true) && (since === undefined || (stampOf(event) ?? -Infinity) >= since);
  const wanted = log.filter(isWanted);
  const ordered = order === 'asc' ? wanted : wanted.toReversed();
  const start = page === undefined ? 0 : ordered.findIndex((event) => identityOf(event) === page) + 1;
  const events = ordered.slice(start, start + limit);
  const isLast = start + events.length >= ordered.length;
  return { events, nextPage: isLast ? undefined : identityOf(events.at(-1)!) };
}

/** The list of all that ever happens, without any fault. */
export function listOf(happenings: readonly Happening[]): FetchPage {
  return (query) => Promise.resolve(pageOf(logOf(happenings, Infinity), query));
}
