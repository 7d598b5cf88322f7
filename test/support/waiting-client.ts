import { type EventLogService } from '../../src/managed-agents/event-log.service.js';
import { FollowService } from '../../src/managed-agents/follow/follow.service.js';
import { SessionStats } from '../../src/managed-agents/session-stats.js';
import { awaiting, type EventCursor } from '../../src/managed-agents/log/cursor.js';
import { parseSince } from '../../src/managed-agents/log/cursor-text.js';
import { waitAnswer } from '../../src/session/wait/wait-answer.js';
import { WaitingTime } from '../../src/session/wait/waiting-time.js';
import { type WaitOutcome, SessionWait } from '../../src/session/wait/session-wait.js';
import { SESSION } from './fake-log.js';
import { type ScriptedSession } from './scripted-session.js';
import { type Happening } from './session-life.js';

/** One wait, from its call to its answer, in ms since the session began. */
export interface Waited {
  readonly from: number;
  readonly to: number;
  readonly timeoutMs: number;
  readonly since: EventCursor;
  /** The id of the message that was sent right before. */
  readonly awaits?: string;
  readonly found?: WaitOutcome;
  readonly error?: unknown;
  /** The cursor of the answer. */
  readonly next: EventCursor;
}

/** How long a client rests after an answer that leaves nothing to wait for, in ms. */
const REST_MS = 700;

/** A client that waits again and again, as a model does, and sends a message now and then. */
export class WaitingClient {
  readonly waits: Waited[] = [];
  readonly cancelled = new AbortController();
  readonly draining = new AbortController();
  readonly service: FollowService;
  private sentUntil = -1;

  constructor(
    private readonly session: ScriptedSession,
    private readonly happenings: readonly Happening[],
  ) {
    const log = { source: () => session } as unknown as EventLogService;
    this.service = new FollowService(
      log,
      { readsPerMinute: 100_000, maxStreams: 10, maxWaitSeconds: 50, callTimeoutSeconds: 45 },
      new SessionStats(),
    );
  }

  /** Waits until `end`, resting now and then; leaves as `release` says. */
  async run(timeouts: readonly number[], end: number, release: 'soon' | 'at_once', firstAt = 0): Promise<void> {
    await this.rest(firstAt);
    let since = parseSince(SESSION, undefined);
    for (let round = 0; this.session.now < end; round += 1) {
      const waited = await this.wait(since, timeouts[round % timeouts.length] ?? 1000, release);
      this.waits.push(waited);
      since = waited.next;
      const isToRest = waited.error !== undefined || waited.found?.reason !== 'timeout';
      if (isToRest) await this.rest(REST_MS);
    }
  }

  async wait(cursor: EventCursor, timeoutMs: number, release: 'soon' | 'at_once'): Promise<Waited> {
    const from = this.session.now;
    const sent = this.justSent(from);
    const since = awaiting(cursor, sent);
    const lease = this.service.follow(SESSION);
    const time = new WaitingTime(timeoutMs, this.cancelled.signal, this.draining.signal);
    const waited = { from, timeoutMs, since, awaits: sent?.id };
    try {
      const found = await new SessionWait(lease.follower, since, time).run();
      const answer = waitAnswer(found, { since, maxChars: 40_000, notes: [] }) as { next_since: string };
      return { ...waited, to: this.session.now, found, next: parseSince(SESSION, answer.next_since) };
    } catch (error) {
      return { ...waited, to: this.session.now, error, next: since };
    } finally {
      this.sentUntil = this.session.now;
      lease.release(release);
      time.dispose();
    }
  }

  /** The newest message that this client has sent since it last waited; what was sent meanwhile is of another one. */
  private justSent(now: number) {
    const sent = this.happenings.findLast(({ own, at }) => own && at > this.sentUntil && at <= now);
    return sent?.event;
  }

  private rest(ms: number): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, ms));
  }
}
