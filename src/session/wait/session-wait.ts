import { ApiError, type ApiErrorKind } from '../../managed-agents/api-error.js';
import { backoffMs, pause } from '../../managed-agents/timing.js';
import { type SessionFollower } from '../../managed-agents/follow/session-follower.js';
import { type EventCursor, isAnswered, isAwaited } from '../../managed-agents/log/cursor.js';
import { type LogEvent } from '../../managed-agents/log/event.js';
import { type Situation, terminated } from '../../managed-agents/log/situation.js';
import { reasonToReturn, type WaitReason } from './reason.js';
import { type WaitingTime } from './waiting-time.js';

/** The outcome of a wait. */
export interface WaitOutcome {
  readonly reason: WaitReason;
  /** The newest known; undefined when the API never answered. */
  readonly situation?: Situation;
  /** What happened since the cursor; undefined when it could not be read in time. */
  readonly events?: readonly LogEvent[];
  readonly hasMore: boolean;
  /** How many entries of the log were met that cannot be read. */
  readonly unreadable?: number;
  /** The error that kept the API from being read to the end, if there was one. */
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
const FINAL_KINDS: ReadonlySet<ApiErrorKind> = new Set<ApiErrorKind>([
  'credentials',
  'not_the_api',
  'redirect',
  'too_large',
]);

/** How long the calls of one step are collected while the session runs: they are listed up to 350 ms before its idle. */
const STEP_MS = 1000;
/** After how long an input that is not listed is no longer waited for, if events follow it: its id can be a receipt's. */
const RECEIPT_MS = 2500;

/** Waits on one session until there is a reason to return, or the time is over. */
export class SessionWait {
  private latest: Situation | undefined;
  private lastError: ApiError | undefined;
  private failures = 0;
  /** How many reads in a row showed a reason to return while the list lacked the awaited input. */
  private staleReads = 0;
  private inputProcessed: boolean;
  /** The pending calls at the last read, and since when there were no others. */
  private step = '';
  private stepSince = 0;
  private isCollecting = false;
  private readonly startedAt = performance.now();

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

  /** The outcome; undefined to go on waiting. */
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
    const isProcessed = await this.isInputProcessed();
    let situation = await this.follower.situation();
    this.learn(situation);
    const reason = await this.reasonIn(situation, isProcessed);
    if (!reason) return this.terminated(situation);
    if (reason === 'action_required' && this.isStepIncomplete(situation)) return undefined;
    const ended = reason === 'terminated' ? undefined : await this.terminated(situation);
    if (ended) return ended;
    if (reason === 'turn_over' && isUnlisted(situation)) situation = await this.listed(situation);
    return { reason, situation, ...(await this.events()) };
  }

  /** The reason to return now, unless the situation may be the one from before the awaited input. */
  private async reasonIn(situation: Situation, isProcessed: boolean): Promise<WaitReason | undefined> {
    const reason = reasonToReturn(situation, this.since);
    const isCurrent = isProcessed || isListed(this.since, situation) || (await this.isSuperseded());
    this.staleReads = reason && !isCurrent ? this.staleReads + 1 : 0;
    return isCurrent || reason === 'terminated' ? reason : undefined;
  }

  /** Whether the input that the caller has just sent is processed: until then the log shows the state from before. */
  private async isInputProcessed(): Promise<boolean> {
    if (this.inputProcessed) return true;
    const { events, hasMore } = await this.events();
    if (!hasMore && !isAnswered(this.since, events)) return false;
    this.inputProcessed = true;
    // The cached situation may be from a moment before that.
    this.follower.expire();
    return true;
  }

  /**
   * Whether the session went on after the send although the list never shows the input: some servers return receipts whose
   * ids differ from those of the stored events. The list may lag for two seconds, so this is no evidence before.
   */
  private async isSuperseded(): Promise<boolean> {
    if (performance.now() - this.startedAt < RECEIPT_MS) return false;
    const { events } = await this.events();
    return events.some(({ type }) => type.startsWith('session.status_'));
  }

  /** The calls of one step are listed one by one, and a call that an idle names can be listed after it. */
  private isStepIncomplete({ turn, pendingActions }: Situation): boolean {
    const step = pendingActions.map(({ toolUseId, kind }) => `${toolUseId} ${kind}`).join();
    if (step !== this.step) {
      this.step = step;
      this.stepSince = performance.now();
    }
    const isOpen = turn === 'running' || pendingActions.some(({ kind }) => kind === 'unknown');
    if (!isOpen || this.time.end !== undefined || this.stepMs <= 0) {
      this.isCollecting = false;
      return false;
    }
    if (turn !== 'running') this.follower.expire();
    this.isCollecting = true;
    return true;
  }

  private get stepMs(): number {
    return STEP_MS - (performance.now() - this.stepSince);
  }

  /** The log can lack the end of a session that its object shows. Asked seldom, and only while the log has no news. */
  private async terminated(situation: Situation): Promise<WaitOutcome | undefined> {
    if (!(await this.follower.isTerminated())) return undefined;
    return { reason: 'terminated', situation: terminated(situation), ...(await this.events()) };
  }

  private learn(situation: Situation): void {
    this.latest = situation;
    this.lastError = undefined;
    this.failures = 0;
  }

  /** An idle can be listed before the turn's last message. A turn without a message is returned in the end. */
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
    if (FINAL_STATUSES.has(status) || FINAL_KINDS.has(error.details.kind)) throw error;
    this.lastError = error;
    this.failures += 1;
    return undefined;
  }

  private gone(): WaitOutcome {
    return { reason: 'deleted', situation: this.latest, hasMore: false };
  }

  /** Resolves when the session changes, or when it is time to read without a change. */
  private async untilNextCheck(change: Promise<void>): Promise<void> {
    const ms = this.retryMs();
    if (ms === undefined) return change;
    const retry = pause(ms, this.time.over.signal);
    // Without a stream, every change is only another attempt to open one.
    if (!this.follower.streaming) return retry;
    // The change may be the awaited input, which the list will soon contain.
    await Promise.race([retry, change.then(() => (this.staleReads = Math.min(this.staleReads, 1)))]);
  }

  /** After how long to read again when the API has refused, its list lags, or calls are being collected. */
  private retryMs(): number | undefined {
    if (this.isCollecting && !this.lastError) return Math.max(this.stepMs, 0) + 1;
    if (this.staleReads > 0 && !this.lastError) return backoffMs(this.staleReads - 1, FIRST_STALE_MS, MAX_RETRY_MS);
    if (!this.lastError) return undefined;
    const told = (this.lastError.details.retryAfterSeconds ?? 0) * 1000;
    return Math.max(told, backoffMs(this.failures - 1, FIRST_RETRY_MS, MAX_RETRY_MS));
  }

  /** One more quick read; without an answer the caller gets the latest known state. */
  private async lastLook(reason: 'timeout' | 'draining'): Promise<WaitOutcome> {
    const lastLook = new AbortController();
    const nothing = (): WaitOutcome => ({ reason, situation: this.latest, hasMore: false, lastError: this.lastError });
    const tooLate = pause(LAST_LOOK_MS, lastLook.signal).then(nothing);
    // The pause ends after the race; ended by its competitor, it would win.
    const found = await Promise.race([this.finalState(reason), tooLate]).finally(() => lastLook.abort());
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

function isUnlisted({ failed, interrupted, lastMessage, stopReason }: Situation): boolean {
  return !failed && !interrupted && !lastMessage && stopReason?.type === 'end_turn';
}

/** Whether the list shows the awaited input in its queue: the situation takes it into account then. */
function isListed(since: EventCursor, { queued = [] }: Situation): boolean {
  return queued.some((event) => isAwaited(since, event));
}

/**
 * A repeatable event. Not `events.once`: a change between two waits must not be missed, so the promise for the next one
 * exists before the read that it follows.
 */
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
