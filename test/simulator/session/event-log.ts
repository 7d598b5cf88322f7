import { type Micros, formatTime, parseTime } from '../clock.js';
import type { Serialization } from '../options.js';
import type { Position } from '../pagination.js';
import type { WireEvent } from '../wire.js';

export interface LogEntry {
  /** The place in the log; queued input has none yet. */
  readonly position: Position;
  readonly event: WireEvent;
  readonly at?: Micros;
}

/** What a stream may carry: events, and previews of events, which have no id of their own. */
export type Streamed = WireEvent | { type: 'event_start' | 'event_delta'; [field: string]: unknown };
export type Listener = (event: Streamed) => void;

/** One thread's history: what happened, in the order it happened, and the input that still waits. */
export class EventLog {
  private readonly processed: LogEntry[] = [];
  private readonly queued: { order: number; event: WireEvent }[] = [];
  private readonly listeners = new Set<Listener>();
  private accepted = 0;
  private count = 0;

  constructor(private readonly order: Serialization['listOrder'] = 'stamp') {}

  /** Queued input comes last: it has no time yet. */
  get entries(): LogEntry[] {
    const waiting = this.queued.map(({ order, event }) => ({
      position: [this.newest, this.count + order] as const,
      event,
    }));
    return [...this.processed, ...waiting];
  }

  get events(): WireEvent[] {
    return this.entries.map(({ event }) => event);
  }

  append(event: WireEvent): void {
    const at = event.processed_at ? parseTime(event.processed_at) : undefined;
    this.insert(event, at);
    this.announce(event);
  }

  /** An event without a stamp stands behind those that were there before. */
  private insert(event: WireEvent, at: Micros | undefined): void {
    this.count += 1;
    const place = this.order === 'stamp' ? (at ?? this.newest) : this.count;
    const before = this.processed.findLastIndex(({ position }) => position[0] <= place);
    this.processed.splice(before + 1, 0, { position: [place, this.count], event, at });
  }

  private get newest(): number {
    return this.processed.at(-1)?.position[0] ?? 0;
  }

  /** Takes an event out of the queue without ever giving it a stamp. */
  settle(event: WireEvent): WireEvent {
    this.forget(event);
    this.append(event);
    return event;
  }

  enqueue(event: WireEvent, announce: boolean): void {
    this.accepted += 1;
    this.queued.push({ order: this.accepted, event });
    if (announce) this.announce(event);
  }

  /** Takes an event out of the queue and puts its stamped copy, with the same id, at the end of the log. */
  process(event: WireEvent, at: Micros): WireEvent {
    this.forget(event);
    const stamped = { ...event, processed_at: formatTime(at) };
    this.append(stamped);
    return stamped;
  }

  forget(event: WireEvent): void {
    const index = this.queued.findIndex((entry) => entry.event.id === event.id);
    if (index >= 0) this.queued.splice(index, 1);
  }

  find(id: string): WireEvent | undefined {
    return this.events.find((event) => event.id === id);
  }

  /** Newest first, among what was processed. */
  findLast(matches: (event: WireEvent) => boolean): WireEvent | undefined {
    return this.processed.map(({ event }) => event).findLast(matches);
  }

  /** How many streams are open. */
  get subscribers(): number {
    return this.listeners.size;
  }

  subscribe(listener: Listener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Delivers to open streams without keeping it, like session.deleted and the previews of a message. */
  announce(event: Streamed): void {
    for (const listener of [...this.listeners]) listener(event);
  }
}
