import { setTimeout as delay } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { ApiError } from '../managed-agents/api-error.js';
import { EventLogService } from '../managed-agents/event-log.service.js';
import { SessionsService } from '../managed-agents/sessions.service.js';
import { ToolError } from '../mcp/errors/tool-error.js';

/** After a turn ends, the API can go on refusing to end the session for up to about two seconds. */
const SETTLE_DELAYS_MS = [250, 500, 1000, 1500];

/** Ends sessions: archive keeps the history, delete removes everything. */
@Injectable()
export class SessionEndService {
  constructor(
    private readonly sessions: SessionsService,
    private readonly log: EventLogService,
  ) {}

  async archive(sessionId: string): Promise<object> {
    await this.end(sessionId, () => this.sessions.archive(sessionId));
    return { ok: true, session_id: sessionId, archived: true };
  }

  async delete(sessionId: string): Promise<object> {
    await this.end(sessionId, () => this.deleteOnce(sessionId));
    return { ok: true, session_id: sessionId, deleted: true };
  }

  /** Between the look at the log and here the session existed, so "not found" is the answer to a repeated attempt. */
  private async deleteOnce(sessionId: string): Promise<void> {
    try {
      await this.sessions.delete(sessionId);
    } catch (error) {
      if (!(error instanceof ApiError) || error.details.status !== 404) throw error;
    }
  }

  /**
   * The API itself would end a session whose input is still queued, and so drop what was just asked or approved; that
   * is why the log is asked first. A refusal (400) then means that its status lags, or that work began in between.
   */
  private async end(sessionId: string, attempt: () => Promise<void>): Promise<void> {
    await this.refuseIfWorking(sessionId);
    for (let retry = 0; ; retry++) {
      try {
        return await attempt();
      } catch (error) {
        // A refusal with a code has a reason that waiting does not change.
        if (!(error instanceof ApiError) || error.details.status !== 400 || error.details.code !== undefined)
          throw error;
        const wait = SETTLE_DELAYS_MS[retry];
        if (wait === undefined) throw error;
        await delay(wait);
        await this.refuseIfWorking(sessionId, error);
      }
    }
  }

  private async refuseIfWorking(sessionId: string, cause?: ApiError): Promise<void> {
    const { turn } = await this.log.situation(sessionId);
    if (turn !== 'running' && turn !== 'queued') return;
    throw new ToolError(
      'The session is still running and can only be ended when it is not. Call session_interrupt first, then session_wait until the turn is over, then try again.',
      'session_running',
      { cause },
    );
  }
}
