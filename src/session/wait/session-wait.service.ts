import { Injectable } from '@nestjs/common';
import { ServerSettings } from '../../config/server.settings.js';
import { WaitSettings } from '../../config/wait.settings.js';
import { requireToolCall } from '../../context/call.js';
import { type FollowerLease, FollowService, TooManyStreamsError } from '../../managed-agents/follow/follow.service.js';
import { type EventCursor } from '../../managed-agents/log/cursor.js';
import { parseSince } from '../../managed-agents/log/cursor-text.js';
import { cancellationOf, requireClientRequest } from '../../mcp/client-request.js';
import { ToolError } from '../../mcp/errors/tool-error.js';
import { PersonsDecisions } from './persons-decisions.js';
import { reportWaiting } from './wait-progress.js';
import { waitAnswer } from './wait-answer.js';
import { WaitingTime } from './waiting-time.js';
import { type WaitOutcome, SessionWait } from './session-wait.js';

/** Arguments of `session_wait`, already valid. */
export interface WaitRequest {
  readonly session_id: string;
  readonly since?: string;
  readonly timeout_seconds?: number;
}

const DEFAULT_SECONDS = 45;
const MIN_SECONDS = 1;
/** Kept free before the deadline of a call, for the last look and for putting the answer together. In milliseconds. */
const ANSWER_MS = 500;
const UNDECIDED_NOTE = 'The person was asked and decided nothing; the calls still wait.';

/** Waits for a session on behalf of one caller. */
@Injectable()
export class SessionWaitService {
  private readonly maxSeconds: number;
  private readonly maxChars: number;

  constructor(
    private readonly sessions: FollowService,
    private readonly decisions: PersonsDecisions,
    watch: WaitSettings,
    server: ServerSettings,
  ) {
    this.maxSeconds = watch.maxWaitSeconds;
    this.maxChars = server.maxResultChars;
  }

  async wait({ session_id, since: given, timeout_seconds }: WaitRequest): Promise<object> {
    const { seconds, notes } = this.allowed(timeout_seconds);
    const decisions = await this.decisions.carryOut(parseSince(session_id, given === '' ? undefined : given));
    const found = await this.watch(decisions.since, seconds);
    const question = await this.decisions.question(found, decisions);
    if (question) return question;
    const undecided = decisions.undecided.size > 0 ? [UNDECIDED_NOTE] : [];
    return waitAnswer(found, { since: decisions.since, maxChars: this.maxChars, notes: [...notes, ...undecided] });
  }

  private async watch(since: EventCursor, seconds: number): Promise<WaitOutcome> {
    const { draining, deadline } = requireToolCall();
    const { context } = requireClientRequest();
    const lease = this.follow(since.sessionId);
    const cancellation = cancellationOf(context);
    const time = new WaitingTime(Math.min(seconds * 1000, msLeft(deadline)), cancellation.signal, draining);
    const stopReporting = reportWaiting(context, lease.follower, seconds);
    try {
      const found = await new SessionWait(lease.follower, since, time).run();
      if (time.end === 'cancelled') throw new ToolError('The call was cancelled.', 'cancelled');
      return found;
    } finally {
      stopReporting();
      lease.release(time.end === 'cancelled' || time.end === 'draining' ? 'at_once' : 'soon');
      time.dispose();
      cancellation.dispose();
    }
  }

  private allowed(wanted: number | undefined): { seconds: number; notes: string[] } {
    const most = Math.min(
      this.maxSeconds,
      Math.max(MIN_SECONDS, Math.floor(msLeft(requireToolCall().deadline) / 1000)),
    );
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
        `This server already waits for ${error.maxStreams} sessions, as many as it may (MCP_MAX_STREAMS). Use session_get now and then instead, or try again in a minute.`,
        'too_many_streams',
        { cause: error },
      );
    }
  }
}

/** How long a call with this deadline may wait, in milliseconds. */
function msLeft(deadline: number | undefined): number {
  return deadline === undefined ? Infinity : Math.max(0, deadline - ANSWER_MS - Date.now());
}
