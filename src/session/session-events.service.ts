import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { ServerSettings } from '../config/server.settings.js';
import { EventLogService } from '../managed-agents/event-log.service.js';
import { advance, type EventCursor } from '../managed-agents/log/cursor.js';
import { encodeCursor, parseSince } from '../managed-agents/log/cursor-text.js';
import { type LogEvent } from '../managed-agents/log/event.js';
import { id, limit } from '../mcp/arguments.js';
import { type Input, ToolInput } from '../mcp/tool-input.js';
import { truncateStrings } from '../mcp/result/truncate.js';
import { type Batch, batchOf, toEntry } from './transcript.js';

const MAX_CURSOR_CHARS = 2048;

export const sessionEventsInput = new ToolInput({
  session_id: id('Session to read.', 'sesn_01...'),
  types: z
    .array(z.string().regex(/^[a-z0-9_.]{1,64}$/, 'must be an event type such as agent.message'))
    .max(50)
    .optional()
    .meta({ description: 'Only these event types; keep them the same while you poll.', examples: [['agent.message']] }),
  since: z
    .string()
    .max(MAX_CURSOR_CHARS)
    .optional()
    .describe('next_since of the previous answer, or an RFC 3339 time. Default: from the beginning.'),
  limit: limit(200, 50, 'Events to read at most.'),
  page: z.string().max(MAX_CURSOR_CHARS).optional().describe('Same as since; kept for older clients.'),
  format: z.enum(['concise', 'detailed']).default('concise').describe('detailed gives the raw events.'),
});

type EventsRequest = Input<typeof sessionEventsInput>;

/** Reserved for the cursor, which is there twice (at most 1.5 KB each), and the other fields. */
const ENVELOPE_CHARS = 3600;
const MAX_STRING_CHARS = 6000;
/** Most reads of one call while all events are noise. */
const MAX_ROUNDS = 10;

/** Reads the event log of a session in pieces that fit into a result. */
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
    // Earlier clients send `page` for the rest of a batch; it is the same cursor.
    const since = parseSince(session_id, request.page ?? request.since);
    let cursor: EventCursor = since;
    let unreadable = 0;
    for (let round = 1; ; round++) {
      const read = await this.log.read(session_id, { since: cursor, types, limit });
      unreadable += read.unreadable;
      const batch = batchOf(read.events, describer(request), { maxChars: this.maxChars, countsOmitted: true });
      cursor = advance(cursor, read.events.slice(0, batch.taken));
      const hasMore = read.hasMore || batch.taken < read.events.length;
      if (batch.entries.length > 0 || !hasMore || round === MAX_ROUNDS)
        return answer(session_id, batch, { cursor, hasMore, unreadable, mayHaveMissed: since.outrun });
    }
  }
}

function describer({ format, types }: EventsRequest): (event: LogEvent) => object | undefined {
  return format === 'detailed' || types ? (event) => detail(event, format) : toEntry;
}

/** An event whose type was asked for is never noise. */
function detail(event: LogEvent, format: EventsRequest['format']): object {
  const entry = format === 'concise' ? toEntry(event) : undefined;
  return entry ?? (truncateStrings(event, MAX_STRING_CHARS) as object);
}

interface Progress {
  readonly cursor: EventCursor;
  readonly hasMore: boolean;
  /** How many entries of the log were met that cannot be read. */
  readonly unreadable: number;
  /** Whether events may have appeared late where the cursor of the request had no room to recognize them. */
  readonly mayHaveMissed: boolean;
}

function answer(sessionId: string, { entries, omitted }: Batch, progress: Progress): object {
  const { cursor, hasMore, unreadable, mayHaveMissed } = progress;
  const nextSince = encodeCursor(cursor);
  return {
    session_id: sessionId,
    count: entries.length,
    events: entries,
    ...(omitted > 0 && { omitted_after: omitted }),
    ...(unreadable > 0 && { unreadable }),
    ...(mayHaveMissed && { may_have_missed: true }),
    next_since: nextSince,
    has_more: hasMore,
    next_page: hasMore ? nextSince : null,
  };
}
