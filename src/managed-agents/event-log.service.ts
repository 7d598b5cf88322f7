import { Injectable } from '@nestjs/common';
import { callApi } from './api-error.js';
import { ApiClient } from './api-client.js';
import { type LogSource } from './follow/log-source.js';
import { type CallsReading, readCalls } from './log/calls.js';
import { type EventCursor } from './log/cursor.js';
import { readEnd } from './log/end.js';
import { type LogEvent } from './log/event.js';
import { readEvents, type ReadRequest, type ReadResult } from './log/reader.js';
import { readSituation, type Situation } from './log/situation.js';
import { EventPages } from './pages/event-pages.js';
import { Sightings } from './sightings/sightings.js';
import { unreadableLog } from './unreadable-log.js';

/** Followers have their own patience: an attempt that hangs is given up early, and repeated with their own back-off. */
const ONE_ATTEMPT = { maxRetries: 0, timeout: 10_000 };

/** A session's event log: what happened since a cursor, and what it adds up to now. */
@Injectable()
export class EventLogService {
  private readonly pages: EventPages;

  constructor(
    private readonly client: ApiClient,
    private readonly sightings: Sightings,
  ) {
    this.pages = new EventPages(client);
  }

  read(sessionId: string, request: ReadRequest): Promise<ReadResult> {
    return this.pages
      .whole(sessionId, (fetchPage) => readEvents(fetchPage, request))
      .catch((error: unknown) => {
        throw unreadableLog(error);
      });
  }

  async situation(sessionId: string): Promise<Situation> {
    const situation = await readSituation(this.pages.of(sessionId));
    this.sightings.situation(sessionId, situation);
    return situation;
  }

  /** The situation, and what became of these calls. One request when they belong to the current turn. */
  async calls(sessionId: string, ids: Iterable<string>): Promise<CallsReading> {
    const reading = await readCalls(this.pages.of(sessionId), ids);
    this.sightings.situation(sessionId, reading.situation);
    return reading;
  }

  /** The cursor after everything that has happened until now. One request, unless events are large. */
  async cursorAtEnd(sessionId: string): Promise<EventCursor> {
    return readEnd(this.pages.of(sessionId), sessionId);
  }

  /** List and stream, without the SDK's retries. */
  source(sessionId: string): LogSource {
    return {
      fetchPage: this.pages.of(sessionId, ONE_ATTEMPT),
      open: async (signal) =>
        (await callApi('stream events', () =>
          this.client.beta.sessions.events.stream(sessionId, {}, { ...ONE_ATTEMPT, signal }),
        )) as unknown as AsyncIterable<LogEvent>,
    };
  }
}
