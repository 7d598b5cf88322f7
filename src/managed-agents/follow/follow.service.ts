import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { WaitSettings } from '../../config/wait.settings.js';
import { currentCaller } from '../../context/request.js';
import { ApiError } from '../api-error.js';
import { EventLogService } from '../event-log.service.js';
import { SessionStats } from '../session-stats.js';
import { ReadBudget } from './read-budget.js';
import { type FollowerObserver, SessionFollower } from './session-follower.js';

/** How long a follower stays open after its last user left, in milliseconds: most callers wait again at once. */
const LINGER_MS = 5000;

/** How long the answer that there is no such session is reused, in milliseconds. */
const MISSING_MS = 10_000;
const MAX_MISSING = 10_000;
/** Answers that say that a session cannot be read at all. */
const FINAL_STATUSES: ReadonlySet<number | undefined> = new Set([400, 403, 404]);

/** Thrown when the process already follows as many sessions as the operator allows. */
export class TooManyStreamsError extends Error {
  constructor(readonly maxStreams: number) {
    super(`limit reached: this process follows ${maxStreams} sessions`);
    this.name = 'TooManyStreamsError';
  }
}

interface SharedFollower {
  readonly follower: SessionFollower;
  users: number;
  /** How many of the users each caller is. The last one stays while the follower has no user. */
  readonly callers: Map<string, number>;
  linger?: NodeJS.Timeout;
}

/** The right of one caller to use a follower, until it is released. */
export interface FollowerLease {
  readonly follower: SessionFollower;
  /** Call it once. `soon` keeps the stream open for {@link LINGER_MS}, because most callers come back. */
  release(when: 'soon' | 'at_once'): void;
}

/** Shares one follower, and so one upstream stream, between all waits for a session in this process. */
@Injectable()
export class FollowService implements OnApplicationShutdown {
  private readonly followed = new Map<string, SharedFollower>();
  private readonly budget: ReadBudget;
  /** By session: the error that says that there is none. */
  private readonly missing = new LRUCache<string, ApiError>({ max: MAX_MISSING, ttl: MISSING_MS, ttlResolution: 0 });
  /** By caller: the last of its looks at unknown sessions, which are made one after the other. */
  private readonly looks = new Map<string, Promise<void>>();
  readonly maxStreams: number;
  /** Counted since the process started; for metrics. */
  readonly connections = { opened: 0, lost: 0 };

  constructor(
    private readonly log: EventLogService,
    settings: WaitSettings,
    private readonly stats: SessionStats,
  ) {
    this.budget = new ReadBudget(settings.readsPerMinute);
    this.maxStreams = settings.maxStreams;
  }

  /** How many sessions are followed, how many waits use them, and how many followers have no open stream now. */
  get load(): { streams: number; waiters: number; polling: number } {
    const all = [...this.followed.values()];
    return {
      streams: all.length,
      waiters: all.reduce((sum, { users }) => sum + users, 0),
      polling: all.filter(({ follower }) => !follower.streaming).length,
    };
  }

  /**
   * Makes sure that the session exists before a stream is opened for it. Of the sessions that this process has never read,
   * a caller can look at one at a time, for one request each; that one does not exist is remembered for a moment.
   *
   * @throws {ApiError} when the API has no such session
   */
  async requireExisting(sessionId: string, signal: AbortSignal): Promise<void> {
    if (this.followed.has(sessionId) || this.stats.hasSeen(sessionId)) return;
    const caller = currentCaller();
    const look = (this.looks.get(caller) ?? Promise.resolve()).then(() => this.look(sessionId, caller, signal));
    const settled = look.catch(() => undefined);
    this.looks.set(caller, settled);
    try {
      await look;
    } finally {
      if (this.looks.get(caller) === settled) this.looks.delete(caller);
    }
  }

  /** @throws {TooManyStreamsError} when the limit of followed sessions is reached. */
  follow(sessionId: string): FollowerLease {
    const caller = currentCaller();
    const followed = this.followed.get(sessionId) ?? this.start(sessionId);
    clearTimeout(followed.linger);
    if (followed.users === 0) followed.callers.clear();
    followed.users += 1;
    followed.callers.set(caller, (followed.callers.get(caller) ?? 0) + 1);
    return { follower: followed.follower, release: (when) => this.release(sessionId, caller, when, followed) };
  }

  /** Closes every follower without users at once. */
  stopUnused(): void {
    for (const [sessionId, { users }] of [...this.followed]) if (users === 0) this.stop(sessionId);
  }

  onApplicationShutdown(): void {
    for (const sessionId of [...this.followed.keys()]) this.stop(sessionId);
  }

  private start(sessionId: string): SharedFollower {
    if (this.followed.size >= this.maxStreams) this.stopOneUnused();
    if (this.followed.size >= this.maxStreams) throw new TooManyStreamsError(this.maxStreams);
    const callers = new Map<string, number>();
    const share = this.budget.share({ [Symbol.iterator]: () => callers.keys() });
    const follower = new SessionFollower(this.log.source(sessionId), share, this.observer(sessionId));
    const followed = { follower, callers, users: 0 };
    this.followed.set(sessionId, followed);
    return followed;
  }

  private async look(sessionId: string, caller: string, signal: AbortSignal): Promise<void> {
    if (signal.aborted || this.stats.hasSeen(sessionId)) return;
    const missing = this.missing.get(sessionId);
    if (missing) throw missing;
    await this.budget.take(signal, [caller]);
    if (signal.aborted) return;
    try {
      await this.log.source(sessionId).fetchPage({ order: 'desc', limit: 1 });
      this.stats.seen(sessionId);
    } catch (error) {
      // Every other failure is for the follower, which tries again.
      if (!(error instanceof ApiError) || !FINAL_STATUSES.has(error.details.status)) return;
      this.missing.set(sessionId, error);
      throw error;
    }
  }

  private observer(sessionId: string): FollowerObserver {
    return {
      opened: () => (this.connections.opened += 1),
      lost: () => (this.connections.lost += 1),
      seen: (situation) => this.stats.situation(sessionId, situation),
    };
  }

  private release(sessionId: string, caller: string, when: 'soon' | 'at_once', followed: SharedFollower): void {
    followed.users -= 1;
    const left = (followed.callers.get(caller) ?? 0) - 1;
    if (left > 0) followed.callers.set(caller, left);
    else if (followed.users > 0) followed.callers.delete(caller);
    if (followed.users > 0 || this.followed.get(sessionId) !== followed) return;
    if (when === 'at_once') return this.stop(sessionId);
    followed.linger = setTimeout(() => this.stop(sessionId), LINGER_MS);
    followed.linger.unref();
  }

  private stopOneUnused(): void {
    const unused = [...this.followed].find(([, { users }]) => users === 0);
    if (unused) this.stop(unused[0]);
  }

  private stop(sessionId: string): void {
    const followed = this.followed.get(sessionId);
    clearTimeout(followed?.linger);
    followed?.follower.close();
    this.followed.delete(sessionId);
  }
}
