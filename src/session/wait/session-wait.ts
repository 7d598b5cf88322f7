import { ApiError } from '../../managed-agents/api-error.js';
import { backoffMs, pause } from '../../managed-agents/timing.js';
import { type SessionFollower } from '../../managed-agents/follow/session-follower.js';
import { type EventCursor, isAnswered } from '../../managed-agents/log/cursor.js';
import { type LogEvent } from '../../managed-agents/log/event.js';
import { type Situation } from '../../managed-agents/log/situation.js';
import { reasonToReturn, type WaitReason } from './reason.js';
import { type WaitingTime } from './waiting-time.js';

/** What a wait came to. */
export interface WaitOutcome {
  readonly reason: WaitReason;
  /** The newest known; undefined when the API never answered. */
  readonly situation?: Situation;
  /** What happened since the cursor; undefined when it could not be read in time. */
  readonly events?: readonly LogEvent[];
  readonly hasMore: boolean;
  /** Why the API did not tell more, if it did not. */
  readonly lastError?: ApiError;
}

/** Events read for one answer; as a rule far more than fit. */
const MAX_EVENTS = 500;
/** How long a wait whose time is up may still look, in milliseconds. */
const LAST_LOOK_MS = 150;
/** When a turn is over whose last message is not listed yet: after how long to look again, in milliseconds. */
const UNLISTED_DELAYS_MS = [100, 250, 500];
/** When the API refuses: the pauses between attempts, in milliseconds. */
const FIRST_RETRY_MS = 500;
const MAX_RETRY_MS = 10_000;
/** When the list does not show yet what the caller awaits: the pauses between looks, in milliseconds. */
const FIRST_STALE_MS = 250;
/** Answers of the API that will not change within a wait. */
const FINAL_STATUSES: ReadonlySet<number | undefined> = new Set([400, 401, 402, 403, 404]);

/** Watches one session until there is a reason to return, or the time is over. */
export class SessionWait {
  private latest: Situation | undefined;
  private lastError: ApiError | undefined;
  private failures = 0;
  /** How often in a row the turn seemed to be over while the list lacked the input that is awaited. */
  private staleReads = 0;
  private inputProcessed: boolean;

  constructor(
    private readonly follower: SessionFollower,
    private readonly since: EventCursor,
    private readonly time: WaitingTime,
  ) {
    this.inputProcessed = since.awaited === undefined;
  }

  /** Throws an {@link ApiError} that waiting does not change, such as an unknown session. */
  async run(): Promise<WaitOutcome> {
    const change = new Change();
    const stopListening = this.follower.listen({ changed: () => change.happen() });
    try {
      await this.time.until(this.follower.ready);
      while (this.time.end === undefined) {
        const next = change.next();
        const found = await this.time.until(this.look());
        if (found) return found;
        if (this.time.end === undefined) await this.time.until(this.untilNextCheck(next));
      }
      return await this.lastLook(this.time.end === 'draining' ? 'draining' : 'timeout');
    } finally {
      stopListening();
    }
  }

  /** What there is to return; undefined to go on waiting. */
  private async look(): Promise<WaitOutcome | undefined> {
    try {
      return await this.lookAtLog();
    } catch (error) {
      return this.failed(error);
    }
  }

  private async lookAtLog(): Promise<WaitOutcome | undefined> {
    if (this.follower.deleted) return this.gone();
    if (this.staleReads > 0) this.follower.expire();
    const isInputProcessed = await this.isInputProcessed();
    let situation = await this.follower.situation();
    this.learn(situation);
    const reason = reasonToReturn(situation, this.since);
    this.staleReads = reason && !isInputProcessed ? this.staleReads + 1 : 0;
    if (!reason || (!isInputProcessed && reason !== 'terminated')) return undefined;
    if (isUnlisted(reason, situation)) situation = await this.listed(situation);
    const { events, hasMore } = await this.events();
    return { reason, situation, events, hasMore };
  }

  /** Whether the input that the caller has just sent is processed: until then the log tells what was before. */
  private async isInputProcessed(): Promise<boolean> {
    if (this.inputProcessed) return true;
    const { events, hasMore } = await this.events();
    if (!hasMore && !isAnswered(this.since, events)) return false;
    this.inputProcessed = true;
    // What is known of the session may have been read a moment before that.
    this.follower.expire();
    return true;
  }

  private learn(situation: Situation): void {
    this.latest = situation;
    this.lastError = undefined;
    this.failures = 0;
  }

  /** Idle can arrive before the turn's last message is listed. A turn without any message is told in the end. */
  private async listed(situation: Situation): Promise<Situation> {
    let current = situation;
    for (const ms of UNLISTED_DELAYS_MS) {
      await pause(ms, this.time.over.signal);
      this.follower.expire();
      current = await this.follower.situation();
      this.learn(current);
      if (current.turn !== 'over') return situation;
      if (current.lastMessage || this.time.end !== undefined) break;
    }
    return current;
  }

  private events() {
    return this.follower.read(this.since, MAX_EVENTS);
  }

  private failed(error: unknown): WaitOutcome | undefined {
    if (!(error instanceof ApiError)) throw error;
    const { status } = error.details;
    if (this.follower.deleted || (status === 404 && this.latest)) return this.gone();
    if (FINAL_STATUSES.has(status) || error.details.kind === 'credentials') throw error;
    this.lastError = error;
    this.failures += 1;
    return undefined;
  }

  private gone(): WaitOutcome {
    return { reason: 'deleted', situation: this.latest, hasMore: false };
  }

  /** Until the session changes, or it is time to look without a change. */
  private async untilNextCheck(change: Promise<void>): Promise<void> {
    const ms = this.retryMs();
    if (ms === undefined) return change;
    const retry = pause(ms, this.time.over.signal);
    // Without a stream, changes are nothing but further attempts.
    if (!this.follower.streaming) return retry;
    // A change may be the input that is awaited; the list will have it soon.
    await Promise.race([retry, change.then(() => (this.staleReads = Math.min(this.staleReads, 1)))]);
  }

  /** After how long to look again when the API has refused, or its list is behind. */
  private retryMs(): number | undefined {
    if (this.staleReads > 0 && !this.lastError) return backoffMs(this.staleReads - 1, FIRST_STALE_MS, MAX_RETRY_MS);
    if (!this.lastError) return undefined;
    const told = (this.lastError.details.retryAfterSeconds ?? 0) * 1000;
    return Math.max(told, backoffMs(this.failures - 1, FIRST_RETRY_MS, MAX_RETRY_MS));
  }

  /** Once more, quickly: what is known now is what the caller gets. */
  private async lastLook(reason: 'timeout' | 'draining'): Promise<WaitOutcome> {
    const patience = new AbortController();
    const nothing = (): WaitOutcome => ({ reason, situation: this.latest, hasMore: false, lastError: this.lastError });
    const tooLate = pause(LAST_LOOK_MS, patience.signal).then(nothing);
    // The pause is ended after the race: ended by what it races with, it would win.
    const found = await Promise.race([this.finalState(reason), tooLate]).finally(() => patience.abort());
    if (!found.situation && found.lastError) throw found.lastError;
    return found;
  }

  private async finalState(reason: 'timeout' | 'draining'): Promise<WaitOutcome> {
    try {
      this.learn(await this.follower.situation());
      const found = await this.lookAtLog();
      if (found) return found;
      return { reason, situation: this.latest, ...(await this.events()) };
    } catch (error) {
      return this.failed(error) ?? { reason, situation: this.latest, hasMore: false, lastError: this.lastError };
    }
  }
}

function isUnlisted(reason: WaitReason, { failed, interrupted, lastMessage, stopReason }: Situation): boolean {
  return reason === 'turn_over' && !failed && !interrupted && !lastMessage && stopReason?.type === 'end_turn';
}

/** Something that happens again and again. */
class Change {
  private happened: () => void = () => undefined;
  private promise = this.renew();

  happen(): void {
    this.happened();
    this.promise = this.renew();
  }

  /** Resolves the next time it happens. */
  next(): Promise<void> {
    return this.promise;
  }

  private renew(): Promise<void> {
    return new Promise((resolve) => (this.happened = resolve));
  }
}
