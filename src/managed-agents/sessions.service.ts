import { Injectable } from '@nestjs/common';
import { type Anthropic } from '@anthropic-ai/sdk';
import { callApi } from './api-error.js';
import { ApiClient } from './api-client.js';
import { checkedId } from './ids.js';
import { type LogEvent } from './log/event.js';
import { type Page, type PageRequest, toPage } from './page.js';
import { SessionStats } from './session-stats.js';

export type Session = Anthropic.Beta.BetaManagedAgentsSession;
export type SessionStatus = Session['status'];
export type SessionCreateParams = Anthropic.Beta.SessionCreateParams;
export type SessionUpdateParams = Pick<Anthropic.Beta.SessionUpdateParams, 'title' | 'metadata' | 'budget'>;
export type InputEvent = Anthropic.Beta.Sessions.BetaManagedAgentsEventParams;

export interface SessionListRequest extends PageRequest {
  readonly agent_id?: string;
  readonly statuses?: readonly SessionStatus[];
  /** RFC 3339, inclusive. */
  readonly created_after?: string;
  /** RFC 3339, inclusive. */
  readonly created_before?: string;
}

/** Sessions: create, read, update, send events, end. */
@Injectable()
export class SessionsService {
  constructor(
    private readonly client: ApiClient,
    private readonly stats: SessionStats,
  ) {}

  /** One call; with `initial_events` the session is created running, so there is never one without its message. */
  async create(params: SessionCreateParams): Promise<Session> {
    const session = await callApi('create session', () => this.client.beta.sessions.create(params), 'acts-once');
    this.stats.spending.started(session.id);
    return session;
  }

  async get(id: string): Promise<Session> {
    checkedId('session_id', id);
    return this.seen(await callApi('get session', () => this.client.beta.sessions.retrieve(id)));
  }

  async list({ created_after, created_before, statuses, ...request }: SessionListRequest): Promise<Page<Session>> {
    if (request.agent_id !== undefined) checkedId('agent_id', request.agent_id);
    const page = toPage(
      await callApi('list sessions', () =>
        this.client.beta.sessions.list({
          ...request,
          ...(statuses && { statuses: [...statuses] }),
          ...(created_after && { 'created_at[gte]': created_after }),
          ...(created_before && { 'created_at[lte]': created_before }),
        }),
      ),
    );
    for (const session of page.items) this.seen(session);
    return page;
  }

  /** Allowed in any status but `terminated`. A session paused at its budget goes on by itself once that allows it. */
  async update(id: string, params: SessionUpdateParams): Promise<Session> {
    checkedId('session_id', id);
    return this.seen(await callApi('update session', () => this.client.beta.sessions.update(id, params)));
  }

  /** Returns the events as accepted: queued, most without `processed_at` yet. */
  async send(id: string, events: InputEvent[]): Promise<readonly LogEvent[]> {
    checkedId('session_id', id);
    const answer = await callApi(
      'send events',
      () => this.client.beta.sessions.events.send(id, { events }),
      'acts-once',
    );
    return (answer.data ?? []) as unknown as readonly LogEvent[];
  }

  /** Refused by the API with 400 while the session runs. Final. */
  async archive(id: string): Promise<void> {
    checkedId('session_id', id);
    await callApi('archive session', () => this.client.beta.sessions.archive(id));
    this.stats.approvals.ended(id);
  }

  /** Refused by the API with 400 while the session runs. Removes history, sandbox and outputs. */
  async delete(id: string): Promise<void> {
    checkedId('session_id', id);
    await callApi('delete session', () => this.client.beta.sessions.delete(id));
    this.stats.approvals.ended(id);
  }

  private seen(session: Session): Session {
    this.stats.session(session);
    return session;
  }
}
