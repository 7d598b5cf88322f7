import { Injectable } from '@nestjs/common';
import { type Anthropic } from '@anthropic-ai/sdk';
import { callApi } from './api-error.js';
import { ApiClient } from './api-client.js';
import { type LogSource } from './follow/log-source.js';
import { checkedId } from './ids.js';
import { type CallsReading, readCalls } from './log/calls.js';
import { cursorAtEnd, type EventCursor, MAX_SEEN } from './log/cursor.js';
import { type FetchPage, type LogEvent } from './log/event.js';
import { readEvents, type ReadRequest, type ReadResult } from './log/reader.js';
import { readSituation, type Situation } from './log/situation.js';
import { Sightings } from './sightings/sightings.js';
import { unreadableLog } from './unreadable-log.js';

type EventType = NonNullable<Anthropic.Beta.Sessions.EventListParams['types']>[number];

/** Followers have their own patience: an attempt that hangs is given up early, and repeated with their own back-off. */
const ONE_ATTEMPT = { maxRetries: 0, timeout: 10_000 };

/** A session's event log: what happened since a cursor, and what it adds up to now. */
@Injectable()
export class EventLogService {
  constructor(
    private readonly client: ApiClient,
    private readonly sightings: Sightings,
  ) {}

  read(sessionId: string, request: ReadRequest): Promise<ReadResult> {
    return readEvents(this.pagesOf(sessionId), request).catch((error: unknown) => {
      throw unreadableLog(error);
    });
  }

  async situation(sessionId: string): Promise<Situation> {
    const situation = await readSituation(this.pagesOf(sessionId));
    this.sightings.situation(sessionId, situation);
    return situation;
  }

  /** The situation, and what became of these calls. One request when they belong to the current turn. */
  async calls(sessionId: string, ids: Iterable<string>): Promise<CallsReading> {
    const reading = await readCalls(this.pagesOf(sessionId), ids);
    this.sightings.situation(sessionId, reading.situation);
    return reading;
  }

  /** The cursor after everything that has happened until now. One request. */
  async cursorAtEnd(sessionId: string): Promise<EventCursor> {
    const { events, nextPage } = await this.pagesOf(sessionId)({ order: 'desc', limit: MAX_SEEN + 1 });
    return cursorAtEnd(sessionId, events.toReversed(), nextPage === undefined);
  }

  /** List and stream, without the SDK's retries. */
  source(sessionId: string): LogSource {
    return {
      fetchPage: this.pagesOf(sessionId, ONE_ATTEMPT),
      open: async (signal) =>
        (await callApi('stream events', () =>
          this.client.beta.sessions.events.stream(sessionId, {}, { ...ONE_ATTEMPT, signal }),
        )) as unknown as AsyncIterable<LogEvent>,
    };
  }

  private pagesOf(sessionId: string, options?: typeof ONE_ATTEMPT): FetchPage {
    checkedId('session_id', sessionId);
    return async ({ order, limit, types, from, page }) => {
      const query = {
        order,
        limit,
        page,
        // Callers may name types that this SDK does not know yet.
        ...(types && { types: types as EventType[] }),
        ...(from && { 'created_at[gte]': from }),
      };
      const answer = await callApi('list events', () =>
        this.client.beta.sessions.events.list(sessionId, query, options),
      );
      return { events: answer.data as unknown as readonly LogEvent[], nextPage: answer.next_page ?? undefined };
    };
  }
}
