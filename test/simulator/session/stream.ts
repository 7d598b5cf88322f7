import type { ServerResponse } from 'node:http';
import type { SimulatorClock } from '../clock.js';
import type { Failure } from '../faults.js';
import { serialize } from '../http/serialize.js';
import type { Pollution, Serialization, StreamTiming } from '../options.js';
import type { EventLog, Streamed } from './event-log.js';

export interface StreamParts {
  clock: SimulatorClock;
  serialization: Serialization;
  pollution: Pollution;
  timing: StreamTiming;
}

const PREVIEWS = ['event_start', 'event_delta'];

/** One open event stream. It starts with what happens next: there is no replay. */
export class EventStream {
  private delivered = 0;
  private readonly previewed = new Set<string>();
  private cancelKeepAlive: () => void = () => undefined;
  private cancelClose: () => void = () => undefined;

  constructor(
    private readonly parts: StreamParts,
    private readonly log: EventLog,
    private readonly deltas: ReadonlySet<string>,
  ) {}

  open(response: ServerResponse, failure: Failure): void {
    response.writeHead(200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-cache, no-transform',
    });
    response.write(': connected\n\n');
    if (failure.garbled !== undefined) response.write(failure.garbled);
    const unsubscribe = this.log.subscribe((event) => this.deliver(event, response, failure));
    response.on('close', () => {
      unsubscribe();
      this.cancelKeepAlive();
      this.cancelClose();
    });
    this.keepAlive(response);
    this.closeWhenQuiet(response);
  }

  private deliver(event: Streamed, response: ServerResponse, failure: Failure): void {
    if (failure.mute || (PREVIEWS.includes(event.type) && !this.wants(event))) return;
    const frame = `event: message\ndata: ${serialize(event, this.parts)}\n\n`;
    if (failure.truncateAfter !== undefined && this.delivered >= failure.truncateAfter) {
      response.write(frame.slice(0, frame.length / 2), () => response.destroy());
      return;
    }
    this.delivered += 1;
    const twice = failure.duplicates ?? this.parts.pollution.duplicates;
    response.write(twice && !PREVIEWS.includes(event.type) ? frame + frame : frame);
    this.closeWhenQuiet(response);
    if (event.type === 'session.deleted') response.end();
  }

  /** Previews are sent to those who asked for their type only. */
  private wants(frame: Streamed): boolean {
    if (frame.type === 'event_delta') return this.previewed.has(String(frame.event_id));
    const { id, type } = frame.event as { id: string; type: string };
    if (this.deltas.has(type)) this.previewed.add(id);
    return this.deltas.has(type);
  }

  private keepAlive(response: ServerResponse): void {
    const { clock, timing } = this.parts;
    this.cancelKeepAlive = clock.schedule(timing.keepAliveMs, () => {
      response.write(':keepalive\n\n');
      this.keepAlive(response);
    });
  }

  private closeWhenQuiet(response: ServerResponse): void {
    const { clock, timing } = this.parts;
    this.cancelClose();
    this.cancelClose = clock.schedule(timing.quietCloseMs, () => response.end());
  }
}
