import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { id } from '../../mcp/arguments.js';
import { type Input, ToolInput } from '../../mcp/tool-input.js';
import { ServerSettings } from '../../config/server.settings.js';
import { WaitSettings } from '../../config/wait.settings.js';
import { requireToolCall } from '../../context/call.js';
import { type FollowerLease, FollowService, TooManyStreamsError } from '../../managed-agents/follow/follow.service.js';
import { type EventCursor } from '../../managed-agents/log/cursor.js';
import { parseSince } from '../../managed-agents/log/cursor-text.js';
import { cancellationOf, clientWaitSeconds, reportProgress, requireClientRequest } from '../../mcp/client-request.js';
import { ToolError } from '../../mcp/errors/tool-error.js';
import { ElicitedDecisions } from './elicited-decisions.js';
import { waitAnswer } from './wait-answer.js';
import { WaitingTime } from './waiting-time.js';
import { SessionWait, type WaitOutcome } from './session-wait.js';
import { type ServerContext } from '@modelcontextprotocol/server';
import { type SessionFollower } from '../../managed-agents/follow/session-follower.js';
import { contentText, oneLine } from '../transcript.js';

const MAX_CURSOR_CHARS = 2048;

export const sessionWaitInput = new ToolInput({
  session_id: id('Session to wait for.', 'sesn_01...'),
  since: z
    .string()
    .max(MAX_CURSOR_CHARS)
    .optional()
    .describe('Newest next_since of this session, as from session_start, session_message or session_wait.'),
  timeout_seconds: z.number().optional().describe('Longest wait; default 45, at most 50 unless the operator says so.'),
});

const DEFAULT_SECONDS = 45;
const MIN_SECONDS = 1;
/** Time reserved before the deadline of a call for the last read and for the answer, in milliseconds. */
const ANSWER_MS = 500;
/** Time reserved for the answer to reach a client that says how long it waits, in seconds. */
const CLIENT_RESERVE_SECONDS = 1;
const UNDECIDED_NOTE = 'The person was asked and made no decision; the calls are still pending.';

/** Waits for a session on behalf of one caller. */
@Injectable()
export class SessionWaitService {
  private readonly maxSeconds: number;
  private readonly maxChars: number;

  constructor(
    private readonly sessions: FollowService,
    private readonly decisions: ElicitedDecisions,
    watch: WaitSettings,
    server: ServerSettings,
  ) {
    this.maxSeconds = watch.maxWaitSeconds;
    this.maxChars = server.maxResultChars;
  }

  async wait({ session_id, since: given, timeout_seconds }: Input<typeof sessionWaitInput>): Promise<object> {
    const { seconds, notes } = this.allowed(timeout_seconds);
    const decisions = await this.decisions.submit(parseSince(session_id, given));
    const found = await this.watch(decisions.since, seconds);
    const question = await this.decisions.question(found, decisions);
    if (question) return question;
    const undecided = decisions.undecided.size > 0 ? [UNDECIDED_NOTE] : [];
    return waitAnswer(found, { since: decisions.since, maxChars: this.maxChars, notes: [...notes, ...undecided] });
  }

  private async watch(since: EventCursor, seconds: number): Promise<WaitOutcome> {
    const { draining, deadline } = requireToolCall();
    const { context } = requireClientRequest();
    const cancellation = cancellationOf(context);
    const time = new WaitingTime(Math.min(seconds * 1000, msLeft(deadline)), cancellation.signal, draining);
    try {
      await time.until(this.sessions.requireExisting(since.sessionId, time.over.signal));
      const found = time.end === undefined ? await this.waitFor(since, seconds, time) : nothingRead(time.end);
      if (time.end === 'cancelled') throw new ToolError('The call was cancelled.', 'cancelled');
      return found;
    } finally {
      time.dispose();
      cancellation.dispose();
    }
  }

  private async waitFor(since: EventCursor, seconds: number, time: WaitingTime): Promise<WaitOutcome> {
    const lease = this.follow(since.sessionId);
    const stopReporting = reportWaiting(requireClientRequest().context, lease.follower, seconds);
    try {
      return await new SessionWait(lease.follower, since, time).run();
    } finally {
      stopReporting();
      lease.release(time.end === 'cancelled' || time.end === 'draining' ? 'at_once' : 'soon');
    }
  }

  private allowed(wanted: number | undefined): { seconds: number; notes: string[] } {
    // Rounded: the longest wait is not announced as shortened because a moment of it has passed.
    const left = Math.round((msLeft(requireToolCall().deadline) + ANSWER_MS) / 1000);
    const client = clientWaitSeconds(requireClientRequest().context) ?? Infinity;
    const most = Math.min(this.maxSeconds, Math.max(MIN_SECONDS, Math.min(left, client - CLIENT_RESERVE_SECONDS)));
    const seconds = Math.min(Math.max(wanted ?? DEFAULT_SECONDS, MIN_SECONDS), most);
    const isCut = wanted !== undefined && wanted !== seconds;
    const note = `timeout_seconds can be ${MIN_SECONDS} to ${most} here; ${seconds} was used.`;
    return { seconds, notes: isCut ? [note] : [] };
  }

  private follow(sessionId: string): FollowerLease {
    try {
      return this.sessions.follow(sessionId);
    } catch (error) {
      if (!(error instanceof TooManyStreamsError)) throw error;
      throw new ToolError(
        `Limit reached: this server waits for ${error.maxStreams} sessions at once (MCP_MAX_STREAMS). Call session_get from time to time instead, or try again in a minute.`,
        'too_many_streams',
        { cause: error },
      );
    }
  }
}

/** The outcome of a wait whose time was over before the session could be read. */
function nothingRead(end: NonNullable<WaitingTime['end']>): WaitOutcome {
  return { reason: end === 'draining' ? 'draining' : 'timeout', hasMore: false };
}

/** How long a call with this deadline may wait, in milliseconds. */
function msLeft(deadline: number | undefined): number {
  return deadline === undefined ? Infinity : Math.max(0, deadline - ANSWER_MS - Date.now());
}

const INTERVAL_MS = 12_000;
const MAX_MESSAGE_CHARS = 200;

/** Reports progress to a client that asked for it: at an interval, and for each message of the agent. */
export function reportWaiting(context: ServerContext, follower: SessionFollower, total: number): () => void {
  const startedAt = performance.now();
  const report = (message: string) => {
    const progress = Math.round((performance.now() - startedAt) / 100) / 10;
    reportProgress(context, { progress, total, message });
  };
  const timer = setInterval(() => report('The agent is still working.'), INTERVAL_MS);
  const stopListening = follower.listen({
    changed: () => undefined,
    messageSent: ({ content }) => report(oneLine(contentText(content), MAX_MESSAGE_CHARS)),
  });
  return () => {
    clearInterval(timer);
    stopListening();
  };
}
