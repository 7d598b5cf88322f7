import { Injectable } from '@nestjs/common';
import { ServerSettings } from '../config/server.settings.js';
import { EventLogService } from '../managed-agents/event-log.service.js';
import { advance, type EventCursor } from '../managed-agents/log/cursor.js';
import { encodeCursor, parseSince } from '../managed-agents/log/cursor-text.js';
import { type LogEvent } from '../managed-agents/log/event.js';
import { truncateStrings } from '../mcp/result/truncate.js';
import { type Batch, batchOf } from './batch.js';
import { toEntry } from './transcript.js';

/** Arguments of `session_events`, already valid. */
export interface EventsRequest {
  readonly session_id: string;
  readonly types?: string[];
  readonly since?: string;
  readonly limit: number;
  readonly page?: string;
  readonly format: 'concise' | 'detailed';
}

/** Room the answer needs beside its events: the cursor twice (at most 1.5 KB each) and the other fields. */
const ENVELOPE_CHARS = 3600;
const MAX_STRING_CHARS = 6000;
/** Reads in one call while there is nothing but noise to show. */
const MAX_ROUNDS = 10;

/** Reads the event log of a session piece by piece, within the size a result may have. */
@Injectable()
export class SessionEventsService {
  private readonly maxChars: number;

  constructor(
    private readonly log: EventLogService,
    settings: ServerSettings,
  ) {
    this.maxChars = settings.maxResultChars - ENVELOPE_CHARS;
  }

  async events(request: EventsRequest): Promise<object> {
    const { session_id, types, limit } = request;
    // `page` is what earlier clients send for the rest of a batch; it carries the same cursor.
    const since = parseSince(session_id, nonEmpty(request.page) ?? nonEmpty(request.since));
    let cursor: EventCursor = since;
    for (let round = 1; ; round++) {
      const read = await this.log.read(session_id, { since: cursor, types, limit });
      const batch = batchOf(read.events, describer(request), { maxChars: this.maxChars, saysWhere: true });
      cursor = advance(cursor, read.events.slice(0, batch.taken));
      const hasMore = read.hasMore || batch.taken < read.events.length;
      if (batch.entries.length > 0 || !hasMore || round === MAX_ROUNDS)
        return answer(session_id, batch, { cursor, hasMore, mayHaveMissed: since.outrun });
    }
  }
}

/** Some clients send an empty text for what they leave out. */
function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}

function describer({ format, types }: EventsRequest): (event: LogEvent) => object | undefined {
  return format === 'detailed' || types ? (event) => detail(event, format) : toEntry;
}

/** Asked for by type, an event is never noise. */
function detail(event: LogEvent, format: EventsRequest['format']): object {
  const entry = format === 'concise' ? toEntry(event) : undefined;
  return entry ?? (truncateStrings(event, MAX_STRING_CHARS) as object);
}

interface Progress {
  readonly cursor: EventCursor;
  readonly hasMore: boolean;
  /** Whether events may have appeared late where the cursor of the request had no room to recognize them. */
  readonly mayHaveMissed: boolean;
}

function answer(sessionId: string, { entries, omitted }: Batch, { cursor, hasMore, mayHaveMissed }: Progress): object {
  const nextSince = encodeCursor(cursor);
  return {
    session_id: sessionId,
    count: entries.length,
    events: entries,
    ...(omitted > 0 && { omitted_after: omitted }),
    ...(mayHaveMissed && { may_have_missed: true }),
    next_since: nextSince,
    has_more: hasMore,
    next_page: hasMore ? nextSince : null,
  };
}
