import { setTimeout as delay } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { ApiError } from '../managed-agents/api-error.js';
import { EventLogService } from '../managed-agents/event-log.service.js';
import { type Situation } from '../managed-agents/log/situation.js';
import { SessionsService } from '../managed-agents/sessions.service.js';
import { id } from '../mcp/arguments.js';
import { ToolInput } from '../mcp/tool-input.js';
import { ToolError } from '../mcp/errors/tool-error.js';

/** The answers of both tools. */
export const archivedOutput = z.object({ ok: z.boolean(), session_id: z.string(), archived: z.boolean() });
export const deletedOutput = z.object({ ok: z.boolean(), session_id: z.string(), deleted: z.boolean() });

export const sessionEndInput = new ToolInput({ session_id: id('Session to end.', 'sesn_01...') });

/** After a turn ends, the API can refuse to end the session for up to about two seconds more. */
const SETTLE_DELAYS_MS = [250, 500, 1000, 1500];

/** How long an input that the API never marks as processed holds up the end of a session, in milliseconds. */
const MAX_HOLD_MS = 60_000;
const MAX_HELD_SESSIONS = 10_000;

/** Ends sessions: archive keeps the history, delete removes everything. */
@Injectable()
export class SessionEndService {
  /** Since when the same queued inputs were the only reason to refuse, by session. */
  private readonly held = new LRUCache<string, { readonly inputs: string; readonly since: number }>({
    max: MAX_HELD_SESSIONS,
  });

  constructor(
    private readonly sessions: SessionsService,
    private readonly log: EventLogService,
  ) {}

  async archive(sessionId: string): Promise<z.infer<typeof archivedOutput>> {
    await this.end(sessionId, () => this.sessions.archive(sessionId));
    return { ok: true, session_id: sessionId, archived: true };
  }

  async delete(sessionId: string): Promise<z.infer<typeof deletedOutput>> {
    await this.end(sessionId, () => this.deleteOnce(sessionId));
    return { ok: true, session_id: sessionId, deleted: true };
  }

  /** The session existed when its log was read, so "not found" answers a repeated attempt. */
  private async deleteOnce(sessionId: string): Promise<void> {
    try {
      await this.sessions.delete(sessionId);
    } catch (error) {
      if (!(error instanceof ApiError) || error.details.status !== 404) throw error;
    }
  }

  /**
   * The API ends a session whose input is still queued, which would drop a message or an approval. So the log is read
   * first. A refusal (400) then means that the API's status lags, or that work began in between.
   */
  private async end(sessionId: string, attempt: () => Promise<void>): Promise<void> {
    await this.refuseIfWorking(sessionId);
    for (let retry = 0; ; retry++) {
      try {
        return await attempt();
      } catch (error) {
        // A refusal with a code will not change by waiting.
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
    const situation = await this.log.situation(sessionId);
    if (situation.turn !== 'running' && situation.turn !== 'queued') return;
    if (situation.turn === 'queued' && this.isHeldTooLong(sessionId, situation)) return;
    throw new ToolError(
      'The session is still running, and a running session cannot be archived or deleted. Call session_interrupt, then session_wait until the turn is over, then try again.',
      'session_running',
      { cause },
    );
  }

  /** Whether these inputs have been queued since a refusal a minute ago, with no event after them. */
  private isHeldTooLong(sessionId: string, { queued = [], lastEventId }: Situation): boolean {
    if (queued.length === 0) return false;
    const inputs = [lastEventId, ...queued.map(({ id }) => id)].join();
    const hold = this.held.get(sessionId);
    if (hold?.inputs === inputs) return performance.now() - hold.since >= MAX_HOLD_MS;
    this.held.set(sessionId, { inputs, since: performance.now() });
    return false;
  }
}
