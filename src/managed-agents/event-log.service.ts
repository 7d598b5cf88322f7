import { Injectable } from '@nestjs/common';
import { ApiClient } from './api-client.js';
import { unreadableLog } from './api-error.js';
import { type LogSource } from './follow/stream-loop.js';
import { type CallsReading, readCalls } from './log/situation-reader.js';
import { type EventCursor } from './log/cursor.js';
import { readEnd } from './log/reader.js';
import { type LogEvent } from './log/event.js';
import { readEvents, type ReadRequest, type ReadResult } from './log/reader.js';
import { type Situation } from './log/situation.js';
import { readSituation } from './log/situation-reader.js';
import { EventPages } from './pages/event-pages.js';
import { SessionStats } from './session-stats.js';

/** Followers time out early and repeat a request with their own back-off. */
const ONE_ATTEMPT = { maxRetries: 0, timeout: 10_000 };

/** Reads a session's event log: the events since a cursor, and the situation they add up to. */
@Injectable()
export class EventLogService {
  private readonly pages: EventPages;

  constructor(
    private readonly api: ApiClient,
    private readonly stats: SessionStats,
  ) {
    this.pages = new EventPages(api);
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
    this.stats.situation(sessionId, situation);
    return situation;
  }

  /** The situation and the traces of these calls. One request when they belong to the current turn. */
  async calls(sessionId: string, ids: Iterable<string>): Promise<CallsReading> {
    const reading = await readCalls(this.pages.of(sessionId), ids);
    this.stats.situation(sessionId, reading.situation);
    return reading;
  }

  /** The cursor at the end of the log. One request, unless events are large or dense. */
  async cursorAtEnd(sessionId: string): Promise<EventCursor> {
    return readEnd(this.pages.of(sessionId), sessionId);
  }

  /** List and stream, without the SDK's retries. */
  source(sessionId: string): LogSource {
    return {
      fetchPage: this.pages.of(sessionId, ONE_ATTEMPT),
      fetchStatus: async () =>
        (
          await this.api.call(
            'sessions.get',
            (beta, options) => beta.sessions.retrieve(sessionId, {}, options),
            ONE_ATTEMPT,
          )
        ).status,
      open: async (signal) =>
        (await this.api.call(
          'sessions.events.stream',
          (beta, options) => beta.sessions.events.stream(sessionId, {}, options),
          { ...ONE_ATTEMPT, signal },
        )) as unknown as AsyncIterable<LogEvent>,
    };
  }
}
