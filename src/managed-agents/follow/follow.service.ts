import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { WaitSettings } from '../../config/wait.settings.js';
import { EventLogService } from '../event-log.service.js';
import { SessionStats } from '../session-stats.js';
import { ReadBudget } from './read-budget.js';
import { type FollowerObserver, SessionFollower } from './session-follower.js';

/** How long a follower stays open after its last user left, in milliseconds: most callers wait again at once. */
const LINGER_MS = 5000;

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

  /** @throws {TooManyStreamsError} when the limit of followed sessions is reached. */
  follow(sessionId: string): FollowerLease {
    const followed = this.followed.get(sessionId) ?? this.start(sessionId);
    clearTimeout(followed.linger);
    followed.users += 1;
    return { follower: followed.follower, release: (when) => this.release(sessionId, followed, when) };
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
    const source = this.log.source(sessionId);
    const followed = { follower: new SessionFollower(source, this.budget, this.observer(sessionId)), users: 0 };
    this.followed.set(sessionId, followed);
    return followed;
  }

  private observer(sessionId: string): FollowerObserver {
    return {
      opened: () => (this.connections.opened += 1),
      lost: () => (this.connections.lost += 1),
      seen: (situation) => this.stats.situation(sessionId, situation),
    };
  }

  private release(sessionId: string, followed: SharedFollower, when: 'soon' | 'at_once'): void {
    followed.users -= 1;
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
