import { type FetchPage, type LogEvent, type LogPage, type LogQuery } from '../../src/managed-agents/log/event.js';
import { formatTime, parseTime } from '../../src/managed-agents/log/time.js';

export const SESSION = 'sesn_1';
export const NOON = parseTime('2026-08-17T12:00:00Z') ?? NaN;

/** What a log may do that the API's documentation leaves open. */
export interface Habits {
  /** Sorted by stamp, ties as they came in; or as they came in, whatever the stamps. */
  readonly sorted: boolean;
  readonly queuedFirst: boolean;
  readonly maxPageSize: number;
  /** Every page is preceded by an empty one that has a cursor. */
  readonly emptyPages: boolean;
  /** A page begins with the last event of the page before, twice. */
  readonly repeats: boolean;
  readonly lastPage: 'absent' | 'null' | 'empty page';
}

export const ORDERLY: Habits = {
  sorted: true,
  queuedFirst: false,
  maxPageSize: 1000,
  emptyPages: false,
  repeats: false,
  lastPage: 'absent',
};

interface Entry {
  readonly event: LogEvent;
  readonly stamp: number | undefined;
  /** Where it stands in the list: by `place`, then by `seq`, which counts what happened to the log. */
  readonly place: number;
  readonly seq: number;
}

/**
 * A session's event log that answers like the API: queued events are invisible to time filters, pages have cursors. A
 * cursor stands for the last event of its page, so the log may grow from page to page. Lists in ascending order only.
 */
export class FakeLog {
  /** In the order of the list. */
  private entries: readonly Entry[] = [];
  /** What the list shows while it lags behind. */
  private shown: readonly Entry[] | undefined;
  private clock = NOON;
  private created = 0;
  private happened = 0;
  readonly lateIds = new Set<string>();
  requests = 0;

  /** @param onEvent is told what a stream would show */
  constructor(
    private readonly habits: Habits,
    private readonly onEvent: (event: LogEvent) => void = () => undefined,
  ) {}

  /** Appends an event stamped `gap` µs after the newest, or before it when negative: late. */
  append(gap: number, text = ''): void {
    this.add({ id: this.newId(), type: 'agent.message', text }, gap);
  }

  enqueue(): void {
    this.put({ id: this.newId(), type: 'user.message', processed_at: null }, undefined);
  }

  /** Stamps the input that waits longest; from then on it stands where it was processed. */
  process(gap: number): void {
    const waiting = this.entries.find(({ stamp }) => stamp === undefined);
    if (!waiting) return;
    this.entries = this.entries.filter((entry) => entry !== waiting);
    this.add(waiting.event, gap);
  }

  /** From now on the list shows nothing new, until it catches up. */
  lag(): void {
    this.shown ??= this.entries;
  }

  catchUp(): void {
    this.shown = undefined;
  }

  /** Ids of the processed events in the order of the list. */
  get processedIds(): string[] {
    return this.entries.filter(({ stamp }) => stamp !== undefined).map(({ event }) => event.id);
  }

  readonly fetchPage: FetchPage = (query) => {
    this.requests += 1;
    return Promise.resolve(this.page(query));
  };

  private page(query: LogQuery): LogPage {
    const { emptyPages, lastPage, maxPageSize, repeats } = this.habits;
    const [place, seq, isAnnounced] = (query.page ?? '-1|0|').split('|');
    if (emptyPages && !isAnnounced) {
      return { events: [], nextPage: `${place}|${seq}|announced` };
    }
    const all = this.list(query);
    const isAfter = (entry: Entry) => (entry.place - Number(place) || entry.seq - Number(seq)) > 0;
    const rest = all.filter(isAfter);
    const listed = rest.slice(0, Math.min(query.limit, maxPageSize));
    const before = all.filter((entry) => !isAfter(entry)).slice(-1);
    const repeated = repeats ? [...before, ...before] : [];
    const isLast = lastPage === 'empty page' ? listed.length === 0 : listed.length === rest.length;
    const theEnd = lastPage === 'null' ? (null as unknown as undefined) : undefined;
    const last = listed.at(-1);
    return {
      events: [...repeated, ...listed].map(({ event }) => event),
      nextPage: isLast ? theEnd : `${last?.place ?? place}|${last?.seq ?? seq}|`,
    };
  }

  private list({ from }: LogQuery): readonly Entry[] {
    const entries = this.shown ?? this.entries;
    const since = from === undefined ? undefined : (parseTime(from) ?? NaN);
    return since === undefined ? entries : entries.filter(({ stamp }) => stamp !== undefined && stamp >= since);
  }

  private add(event: LogEvent, gap: number): void {
    const stamp = this.clock + gap;
    if (gap < 0) this.lateIds.add(event.id);
    this.clock = Math.max(this.clock, stamp);
    this.put({ ...event, processed_at: formatTime(stamp) }, stamp);
  }

  private put(event: LogEvent, stamp: number | undefined): void {
    this.happened += 1;
    const placeOfQueued = this.habits.queuedFirst ? 0 : Number.MAX_SAFE_INTEGER;
    const place = this.habits.sorted ? (stamp ?? placeOfQueued) : 0;
    const index = this.entries.findLastIndex((entry) => entry.place <= place) + 1;
    this.entries = this.entries.toSpliced(index, 0, { event, stamp, place, seq: this.happened });
    this.onEvent(event);
  }

  private newId(): string {
    this.created += 1;
    return `sevt_${this.created}`;
  }
}
