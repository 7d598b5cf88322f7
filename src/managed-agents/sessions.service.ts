import { Injectable } from '@nestjs/common';
import { type Anthropic } from '@anthropic-ai/sdk';
import { ApiClient } from './api-client.js';
import { type Page, type PageRequest } from './api-values.js';
import { checkedId } from './ids.js';
import { type LogEvent } from './log/event.js';
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
    private readonly api: ApiClient,
    private readonly stats: SessionStats,
  ) {}

  /** One call; with `initial_events` the session is created running, so there is never one without its message. */
  async create(params: SessionCreateParams): Promise<Session> {
    const session = await this.api.call('sessions.create', (beta, options) => beta.sessions.create(params, options));
    this.stats.started(session.id);
    return session;
  }

  async get(id: string): Promise<Session> {
    checkedId('session_id', id);
    return this.seen(await this.api.call('sessions.get', (beta, options) => beta.sessions.retrieve(id, {}, options)));
  }

  async list({ created_after, created_before, statuses, ...request }: SessionListRequest): Promise<Page<Session>> {
    if (request.agent_id !== undefined) checkedId('agent_id', request.agent_id);
    const params = {
      ...request,
      ...(statuses && { statuses: [...statuses] }),
      ...(created_after && { 'created_at[gte]': created_after }),
      ...(created_before && { 'created_at[lte]': created_before }),
    };
    const page = await this.api.list('sessions.list', (beta, options) => beta.sessions.list(params, options));
    for (const session of page.items) this.seen(session);
    return page;
  }

  /** Allowed in any status but `terminated`. A session paused at its budget continues by itself once its budget allows it. */
  async update(id: string, params: SessionUpdateParams): Promise<Session> {
    checkedId('session_id', id);
    return this.seen(
      await this.api.call('sessions.update', (beta, options) => beta.sessions.update(id, params, options)),
    );
  }

  /** Returns the events as accepted: queued, most without `processed_at` yet. */
  async send(id: string, events: InputEvent[]): Promise<readonly LogEvent[]> {
    checkedId('session_id', id);
    const answer = await this.api.call('sessions.events.send', (beta, options) =>
      beta.sessions.events.send(id, { events }, options),
    );
    return (answer.data ?? []) as unknown as readonly LogEvent[];
  }

  /** Refused by the API with 400 while the session runs. Final. */
  async archive(id: string): Promise<void> {
    checkedId('session_id', id);
    await this.api.call('sessions.archive', (beta, options) => beta.sessions.archive(id, {}, options));
    this.stats.approvals.ended(id);
  }

  /** Refused by the API with 400 while the session runs. Removes history, sandbox and outputs. */
  async delete(id: string): Promise<void> {
    checkedId('session_id', id);
    await this.api.call('sessions.delete', (beta, options) => beta.sessions.delete(id, {}, options));
    this.stats.approvals.ended(id);
  }

  private seen(session: Session): Session {
    this.stats.session(session);
    return session;
  }
}
