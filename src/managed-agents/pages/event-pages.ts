import { type Anthropic, type Middleware } from '@anthropic-ai/sdk';
import { type ApiClient, type RequestOptions } from '../api-client.js';
import { checkedId } from '../ids.js';
import { type FetchPage, type LogEvent, type LogPage, type LogQuery } from '../log/event.js';
import { ReadPermit, ReadPermits } from './read-permits.js';

type EventType = NonNullable<Anthropic.Beta.Sessions.EventListParams['types']>[number];

/** How many large reads run at once in this process. Each holds a few megabytes. */
const MAX_LARGE_READS = 4;

/** What the pages of one read share. */
interface Reading {
  readonly size: PageSize;
  readonly permit: ReadPermit;
  readonly options?: RequestOptions;
}

/**
 * Pages of event logs, bounded in size: a page can hold fewer events than requested. A read that exceeds
 * {@link LARGE_BYTES} needs a permit to go on; permits are granted in order of request.
 */
export class EventPages {
  private readonly permits = new ReadPermits(MAX_LARGE_READS);

  constructor(private readonly api: ApiClient) {}

  /** For reads that keep little of each page: every page takes and releases its own permit. */
  of(sessionId: string, options?: RequestOptions): FetchPage {
    checkedId('session_id', sessionId);
    const size = new PageSize();
    return (query) => this.withPermit((permit) => this.fetch(sessionId, query, { size, permit, options }));
  }

  /** For a read that keeps all pages until it ends: one permit covers all of them. */
  async whole<T>(sessionId: string, read: (fetchPage: FetchPage) => Promise<T>): Promise<T> {
    checkedId('session_id', sessionId);
    const size = new PageSize();
    return this.withPermit((permit) => read((query) => this.fetch(sessionId, query, { size, permit })));
  }

  private async withPermit<T>(work: (permit: ReadPermit) => Promise<T>): Promise<T> {
    const permit = new ReadPermit(this.permits);
    try {
      return await work(permit);
    } finally {
      permit.release();
    }
  }

  private async fetch(sessionId: string, query: LogQuery, { size, permit, options }: Reading): Promise<LogPage> {
    for (;;) {
      const limit = size.fitting(query.limit);
      // A single event has to be read, however large it is.
      const answer = new MeasuredAnswer(limit === 1 ? Infinity : MAX_PAGE_BYTES, permit);
      try {
        const page = await this.list(sessionId, { ...query, limit }, { ...options, middleware: [answer.middleware] });
        size.learn(page.events.length, answer.bytes);
        return { ...page, bytes: answer.bytes };
      } catch (error) {
        if (!answer.isCut) throw error;
        size.exceeded(limit);
      }
    }
  }

  private async list(sessionId: string, query: LogQuery, options: RequestOptions): Promise<LogPage> {
    const { order, limit, types, from, page } = query;
    const params = {
      order,
      limit,
      page,
      // Callers may name types that this SDK does not know yet.
      ...(types && { types: types as EventType[] }),
      ...(from && { 'created_at[gte]': from }),
    };
    const { items, nextPage, unreadable } = await this.api.list(
      'sessions.events.list',
      (beta, own) => beta.sessions.events.list(sessionId, params, own),
      options,
    );
    return { events: items as unknown as readonly LogEvent[], nextPage, unreadable };
  }
}

/** An answer beyond this size waits for a permit before it is read on, in bytes. Ordinary pages are smaller and never wait. */
const LARGE_BYTES = 256 * 1024;

/** Measures an answer while it arrives, and cuts it off at `maxBytes`. */
export class MeasuredAnswer {
  bytes = 0;
  isCut = false;

  constructor(
    private readonly maxBytes: number,
    private readonly permit: ReadPermit,
  ) {}

  readonly middleware: Middleware = async (request, next) => {
    const response = await next(request);
    if (!response.ok || !response.body) return response;
    const chunks = response.body as unknown as AsyncIterable<Uint8Array>;
    return new Response(ReadableStream.from(this.measured(chunks, request.signal!)), response);
  };

  private async *measured(chunks: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    // A retry starts at zero.
    this.bytes = 0;
    for await (const chunk of chunks) {
      this.bytes += chunk.byteLength;
      this.isCut = this.bytes > this.maxBytes;
      if (this.isCut) return;
      if (this.bytes > LARGE_BYTES) await this.permit.acquire(signal);
      yield chunk;
    }
  }
}

/** The largest page that is read as a whole, in bytes. The API limits only the number of events of a page. */
export const MAX_PAGE_BYTES = 2 * 1024 * 1024;

/** The part of it that a page should fill, because events differ in size. */
const FILL = 0.75;
/** The largest usual event: the API stores longer tool results in a file. In bytes. */
const LARGE_EVENT_BYTES = 100_000;

/** Chooses how many events to request, from the size of those read so far. */
export class PageSize {
  private eventBytes = 0;

  fitting(limit: number): number {
    return Math.max(1, Math.min(limit, Math.floor((MAX_PAGE_BYTES * FILL) / this.eventBytes)));
  }

  learn(events: number, bytes: number): void {
    if (events > 0) this.eventBytes = bytes / events;
  }

  /** Call this when a page of `limit` events was too large. */
  exceeded(limit: number): void {
    this.eventBytes = Math.max(LARGE_EVENT_BYTES, (2 * MAX_PAGE_BYTES) / limit);
  }
}
