import { type Anthropic } from '@anthropic-ai/sdk';
import { type ApiClient } from '../api-client.js';
import { callApi } from '../api-error.js';
import { checkedId } from '../ids.js';
import { type FetchPage, type LogEvent, type LogPage, type LogQuery } from '../log/event.js';
import { MeasuredAnswer } from './measured-answer.js';
import { MAX_PAGE_BYTES, PageSize } from './page-size.js';
import { Turn, Turns } from './turns.js';

type EventType = NonNullable<Anthropic.Beta.Sessions.EventListParams['types']>[number];
type ListOptions = Parameters<ApiClient['beta']['sessions']['events']['list']>[2];

/** How many readings that turn out to be large go on at once, in this process. Each holds a few megabytes. */
const MAX_LARGE_READINGS = 4;

/** What the pages of one reading have in common. */
interface Reading {
  readonly size: PageSize;
  readonly turn: Turn;
  readonly options?: ListOptions;
}

/**
 * Pages of event logs, bounded in size: they can hold fewer events than asked for. Logs of large events are read by few
 * at a time, in the order in which they turn out to be large.
 */
export class EventPages {
  private readonly turns = new Turns(MAX_LARGE_READINGS);

  constructor(private readonly client: ApiClient) {}

  /** For readings that keep little of what they read: each page is read in a turn of its own. */
  of(sessionId: string, options?: ListOptions): FetchPage {
    checkedId('session_id', sessionId);
    const size = new PageSize();
    return (query) => this.inTurn((turn) => this.fetch(sessionId, query, { size, turn, options }));
  }

  /** For a reading that keeps what it read until it ends: it has one turn for all. */
  async whole<T>(sessionId: string, read: (fetchPage: FetchPage) => Promise<T>): Promise<T> {
    checkedId('session_id', sessionId);
    const size = new PageSize();
    return this.inTurn((turn) => read((query) => this.fetch(sessionId, query, { size, turn })));
  }

  private async inTurn<T>(work: (turn: Turn) => Promise<T>): Promise<T> {
    const turn = new Turn(this.turns);
    try {
      return await work(turn);
    } finally {
      turn.end();
    }
  }

  private async fetch(sessionId: string, query: LogQuery, { size, turn, options }: Reading): Promise<LogPage> {
    for (;;) {
      const limit = size.fitting(query.limit);
      // A single event has to be read, however large it is.
      const answer = new MeasuredAnswer(limit === 1 ? Infinity : MAX_PAGE_BYTES, turn);
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

  private async list(sessionId: string, query: LogQuery, options: ListOptions): Promise<LogPage> {
    const { order, limit, types, from, page } = query;
    const params = {
      order,
      limit,
      page,
      // Callers may name types that this SDK does not know yet.
      ...(types && { types: types as EventType[] }),
      ...(from && { 'created_at[gte]': from }),
    };
    const answer = await callApi('list events', () =>
      this.client.beta.sessions.events.list(sessionId, params, options),
    );
    return { events: answer.data as unknown as readonly LogEvent[], nextPage: answer.next_page ?? undefined };
  }
}
