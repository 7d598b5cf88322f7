import { Injectable } from '@nestjs/common';
import { type Anthropic } from '@anthropic-ai/sdk';
import { callApi } from './api-error.js';
import { ApiClient } from './api-client.js';
import { checkedId } from './ids.js';
import { type LogEvent } from './log/event.js';
import { WaitingApprovals } from './waiting-approvals.js';
import { type Page, type PageRequest, toPage } from './page.js';

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
    private readonly approvals: WaitingApprovals,
  ) {}

  /** One call; with `initial_events` the session is created running, so there is never one without its message. */
  create(params: SessionCreateParams): Promise<Session> {
    return callApi('create session', () => this.client.beta.sessions.create(params), 'acts-once');
  }

  get(id: string): Promise<Session> {
    checkedId('session_id', id);
    return callApi('get session', () => this.client.beta.sessions.retrieve(id));
  }

  async list({ created_after, created_before, statuses, ...request }: SessionListRequest): Promise<Page<Session>> {
    if (request.agent_id !== undefined) checkedId('agent_id', request.agent_id);
    return toPage(
      await callApi('list sessions', () =>
        this.client.beta.sessions.list({
          ...request,
          ...(statuses && { statuses: [...statuses] }),
          ...(created_after && { 'created_at[gte]': created_after }),
          ...(created_before && { 'created_at[lte]': created_before }),
        }),
      ),
    );
  }

  /** Allowed in any status but `terminated`. A session paused at its budget goes on by itself once that allows it. */
  update(id: string, params: SessionUpdateParams): Promise<Session> {
    checkedId('session_id', id);
    return callApi('update session', () => this.client.beta.sessions.update(id, params));
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
    this.approvals.ended(id);
  }

  /** Refused by the API with 400 while the session runs. Removes history, sandbox and outputs. */
  async delete(id: string): Promise<void> {
    checkedId('session_id', id);
    await callApi('delete session', () => this.client.beta.sessions.delete(id));
    this.approvals.ended(id);
  }
}
