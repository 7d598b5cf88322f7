import { Injectable } from '@nestjs/common';
import { LimitsSettings } from '../config/limits.settings.js';
import { noteSessionStarted } from '../context/call.js';
import { EventLogService } from '../managed-agents/event-log.service.js';
import { cursorAtStart } from '../managed-agents/log/cursor.js';
import { encodeCursor } from '../managed-agents/log/cursor-text.js';
import { type SessionListRequest, SessionsService } from '../managed-agents/sessions.service.js';
import { ResourceAccess } from '../mcp/access.js';
import { listResult } from '../mcp/result/views.js';
import { createParams, type SessionStart } from './session-start.js';
import { sessionSituation, sessionSummary } from './session-view.js';

/** Starts and observes sessions. */
@Injectable()
export class SessionService {
  constructor(
    private readonly sessions: SessionsService,
    private readonly log: EventLogService,
    private readonly access: ResourceAccess,
    private readonly limits: LimitsSettings,
  ) {}

  async start(request: SessionStart): Promise<object> {
    const budget_usd = request.budget_usd ?? this.limits.startBudgetUsd;
    const params = createParams({ ...request, budget_usd }, this.access.metadataOfNewSession());
    const session = await this.sessions.create(params);
    noteSessionStarted(session.id, budget_usd);
    this.access.started(session);
    const messageSent = params.initial_events !== undefined;
    return {
      session_id: session.id,
      status: session.status,
      message_sent: messageSent,
      ...(budget_usd !== undefined && { budget_usd }),
      next_since: encodeCursor(cursorAtStart(session.id)),
      next_step: messageSent
        ? 'Call session_wait(session_id, since=next_since) until the turn is over or it needs you.'
        : 'Nothing was asked yet. Give it work with session_message(session_id, text).',
    };
  }

  async get(sessionId: string): Promise<object> {
    const reads = [this.sessions.get(sessionId), this.log.situation(sessionId)] as const;
    const [session, situation] = await Promise.allSettled(reads);
    // When both fail, the failure of the session itself is the one to tell.
    if (session.status === 'rejected') throw session.reason;
    if (situation.status === 'rejected') throw situation.reason;
    return sessionSituation(session.value, situation.value);
  }

  async list(request: SessionListRequest): Promise<object> {
    const page = await this.access.reachablePage(request, (wanted) => this.sessions.list(wanted));
    return listResult('sessions', page, sessionSummary);
  }
}
