import { type Micros, formatTime, parseTime } from '../clock.js';
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

  /** Queued input comes last: it has no time yet. */
  get entries(): LogEntry[] {
    const waiting = this.queued.map(({ order, event }) => ({
      position: [this.processed.length, order] as const,
      event,
    }));
    return [...this.processed, ...waiting];
  }

  get events(): WireEvent[] {
    return this.entries.map(({ event }) => event);
  }

  append(event: WireEvent): void {
    const at = event.processed_at ? parseTime(event.processed_at) : undefined;
    this.processed.push({ position: [this.processed.length + 1, 0], event, at });
    this.announce(event);
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
