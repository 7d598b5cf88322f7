import { Injectable, Logger } from '@nestjs/common';
import { LimitsSettings } from '../../config/limits.settings.js';
import { type Tier } from '../../config/tiers.js';
import { type Refusal } from '../policy.js';
import { inOwnTime, ownPause } from './own-time.js';
import {
  isDisconnected,
  STORE_FAILURES,
  STORE_STATES,
  storeFailure,
  type StoreFailure,
  type StoreFailureKind,
} from './store-failure.js';

/** While the store fails in one way, at most one line is logged in this time, in milliseconds. */
const LOG_INTERVAL_MS = 60_000;
/** Longest wait for an answer of the store, in milliseconds in which this process could have received it. */
const ANSWER_TIMEOUT_MS = 1000;
/** A failure is blamed on this process, and not on the store, when it could not react for this long, in milliseconds. */
const STALL_MS = 1000;
/** Time for a connection that was closed during a stall to be made again, in milliseconds. */
const RECONNECT_MS = 500;

/** The limits that are counted in the store. */
export type Limit = 'calls' | 'starts' | 'running_sessions';
export const LIMIT_DECISIONS = ['allowed', 'refused', 'unchecked', 'unavailable'] as const;
export type LimitDecision = (typeof LIMIT_DECISIONS)[number];

/** Decides, logs and counts what happens to calls while the store behind the limits cannot count them. */
@Injectable()
export class StoreHealth {
  /** For tests on machines where Redis itself has to wait for a processor. */
  answerTimeoutMs = ANSWER_TIMEOUT_MS;
  /** How often each limit made each decision since the process started; for metrics. */
  readonly decisions = new Map<Limit, Record<LimitDecision, number>>();
  /** How often the store failed in each way; for metrics. */
  readonly failures = new Map<StoreFailureKind, number>(STORE_FAILURES.map((kind) => [kind, 0]));
  private readonly logger = new Logger('Limits');
  /** The last failure since the store could last count. */
  private current?: StoreFailure;
  /** Why there is no connection. */
  private disconnected?: StoreFailure;
  private failuresNotLogged = 0;
  /** When each kind of failure was last logged since the store could last count. */
  private readonly loggedAt = new Map<StoreFailureKind, number>();

  constructor(private readonly settings: LimitsSettings) {}

  /**
   * Asks the store on behalf of a call. If the store fails, the result has the refusal, or none if the call may continue
   * without being counted.
   */
  async query<T>(limit: Limit, tier: Tier, question: () => Promise<T>): Promise<{ answer: T } | { refusal?: Refusal }> {
    try {
      const answer = await this.ask(question);
      this.recordRecovery();
      return { answer };
    } catch (error) {
      const decision = this.settings.onStoreFailure ?? (tier === 'start' ? 'closed' : 'open');
      this.recordDecision(limit, decision === 'open' ? 'unchecked' : 'unavailable');
      const failure = this.recordFailure(error);
      return decision === 'open' ? {} : { refusal: cannotCheck(failure) };
    }
  }

  /** Whether the store could count when it was last used or its connection last changed. */
  get up(): boolean {
    return this.current === undefined;
  }

  recordDecision(limit: Limit, decision: LimitDecision): void {
    const counts = this.decisions.get(limit) ?? { allowed: 0, refused: 0, unchecked: 0, unavailable: 0 };
    counts[decision] += 1;
    this.decisions.set(limit, counts);
  }

  /** Counts the decision of a limit that could be checked, and returns its refusal. */
  recordVerdict(limit: Limit, refusal: Refusal | undefined): Refusal | undefined {
    this.recordDecision(limit, refusal ? 'refused' : 'allowed');
    return refusal;
  }

  /** Writes the result of a call to the store. If that fails, the count is off by one until its window ends. */
  async update(change: () => Promise<unknown>): Promise<void> {
    const result = await inOwnTime(this.answerTimeoutMs, change);
    if ('error' in result) this.recordFailure(result.error);
    else this.recordRecovery();
  }

  /**
   * Waits for an answer of the store. When this process could not react for a while, the connection may have been given up
   * although the store answered, so the store is asked once more. A call may then count twice.
   */
  private async ask<T>(question: () => Promise<T>): Promise<T> {
    let result = await inOwnTime(this.answerTimeoutMs, question);
    if ('error' in result && result.stalledMs >= STALL_MS) {
      await ownPause(RECONNECT_MS);
      result = await inOwnTime(this.answerTimeoutMs, question);
    }
    if ('error' in result) throw result.error;
    return result.value;
  }

  /** There is no connection, for this reason; commands that fail because of that have no reason of their own. */
  recordDisconnected(error: unknown): void {
    this.disconnected = storeFailure(error);
    this.record(this.disconnected);
  }

  recordConnected(): void {
    this.disconnected = undefined;
  }

  /** The store failed or cannot be reached. Returns why. */
  recordFailure(error: unknown): StoreFailure {
    // The client also ends a connection because of an error of the server, which then is the cause.
    const cause = isDisconnected(error) ? (this.disconnected ?? this.current) : undefined;
    const failure = cause ?? storeFailure(error);
    this.record(failure);
    return failure;
  }

  /** The store can count again. */
  recordRecovery(): void {
    if (this.current === undefined) return;
    this.logger.warn(`the rate-limit store is available again; ${this.failuresNotLogged} failures were not logged`);
    this.current = undefined;
    this.loggedAt.clear();
    this.failuresNotLogged = 0;
  }

  private record(failure: StoreFailure): void {
    const { kind, code } = failure;
    this.failures.set(kind, this.failures.get(kind)! + 1);
    this.failuresNotLogged += 1;
    this.current = failure;
    const now = performance.now();
    if (now - (this.loggedAt.get(kind) ?? -Infinity) < LOG_INTERVAL_MS) return;
    this.logger.error(
      `the rate-limit store ${STORE_STATES[kind]} (${code}), ${this.failuresNotLogged} failures since the last such line; ${this.consequence()}`,
    );
    this.loggedAt.set(kind, now);
    this.failuresNotLogged = 0;
  }

  private consequence(): string {
    const { onStoreFailure } = this.settings;
    if (onStoreFailure === undefined)
      return 'session starts are refused, other calls are allowed without being counted';
    return onStoreFailure === 'open' ? 'calls are allowed without being counted' : 'calls are refused';
  }
}

function cannotCheck({ kind }: StoreFailure): Refusal {
  return {
    rule: 'limit_store',
    message: `The limits of this server cannot be checked at the moment, because its rate-limit store ${STORE_STATES[kind]}. Nothing was done. Try again in 30 seconds; if it persists, tell the operator. Running sessions continue.`,
  };
}
