import { Injectable } from '@nestjs/common';
import { type Anthropic } from '@anthropic-ai/sdk';
import { ApiError, callApi } from './api-error.js';
import { ApiClient } from './api-client.js';
import { checkedId } from './ids.js';
import { type FetchPage, type LogEvent } from './log/event.js';
import { EndlessLogError, readEvents, type ReadRequest, type ReadResult } from './log/reader.js';
import { readSituation, type Situation } from './log/situation.js';

type EventType = NonNullable<Anthropic.Beta.Sessions.EventListParams['types']>[number];

/** A session's event log: what happened since a cursor, and what it adds up to now. */
@Injectable()
export class EventLogService {
  constructor(private readonly client: ApiClient) {}

  read(sessionId: string, request: ReadRequest): Promise<ReadResult> {
    return readEvents(this.pagesOf(sessionId), request).catch((error: unknown) => {
      throw error instanceof EndlessLogError
        ? new ApiError({ kind: 'unreadable', operation: 'list events', cause: error })
        : error;
    });
  }

  situation(sessionId: string): Promise<Situation> {
    return readSituation(this.pagesOf(sessionId));
  }

  private pagesOf(sessionId: string): FetchPage {
    checkedId('session_id', sessionId);
    return async ({ order, limit, types, from, page }) => {
      const answer = await callApi('list events', () =>
        this.client.beta.sessions.events.list(sessionId, {
          order,
          limit,
          page,
          // Callers may name types that this SDK does not know yet.
          ...(types && { types: types as EventType[] }),
          ...(from && { 'created_at[gte]': from }),
        }),
      );
      return { events: answer.data as unknown as readonly LogEvent[], nextPage: answer.next_page ?? undefined };
    };
  }
}
