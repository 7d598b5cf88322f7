import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { WatchSettings } from '../../config/watch.settings.js';
import { EventLogService } from '../event-log.service.js';
import { Sightings } from '../sightings/sightings.js';
import { ReadBudget } from './read-budget.js';
import { type FollowWatch, SessionFollower } from './session-follower.js';

/** How long a session is still followed after the last one stopped waiting: as a rule they call again at once. */
const LINGER_MS = 5000;

/** As many sessions are followed as the operator allows. */
export class TooManyStreamsError extends Error {
  constructor(readonly maxStreams: number) {
    super(`${maxStreams} sessions are being followed already, which is as many as this server may`);
    this.name = 'TooManyStreamsError';
  }
}

interface Followed {
  readonly follower: SessionFollower;
  users: number;
  linger?: NodeJS.Timeout;
}

/** One user's hold on a follower. */
export interface Following {
  readonly follower: SessionFollower;
  /** To be called once. `soon` keeps the stream for a moment in case the caller comes back. */
  leave(release: 'soon' | 'at_once'): void;
}

/** Shares one follower, and so one upstream stream, among all who wait for a session in this process. */
@Injectable()
export class FollowService implements OnApplicationShutdown {
  private readonly followed = new Map<string, Followed>();
  private readonly budget: ReadBudget;
  readonly maxStreams: number;
  /** Since the process began; for metrics. */
  readonly connections = { opened: 0, lost: 0 };

  constructor(
    private readonly log: EventLogService,
    settings: WatchSettings,
    private readonly sightings: Sightings,
  ) {
    this.budget = new ReadBudget(settings.readsPerMinute);
    this.maxStreams = settings.maxStreams;
  }

  /** How many sessions are followed, by how many, and how many of them without an open stream at the moment. */
  get load(): { streams: number; waiters: number; polling: number } {
    const all = [...this.followed.values()];
    return {
      streams: all.length,
      waiters: all.reduce((sum, { users }) => sum + users, 0),
      polling: all.filter(({ follower }) => !follower.streaming).length,
    };
  }

  /** @throws {TooManyStreamsError} when another session would be one too many. */
  follow(sessionId: string): Following {
    const followed = this.followed.get(sessionId) ?? this.start(sessionId);
    clearTimeout(followed.linger);
    followed.users += 1;
    return { follower: followed.follower, leave: (release) => this.leave(sessionId, followed, release) };
  }

  /** Ends at once what is followed only because somebody may come back. */
  stopUnused(): void {
    for (const [sessionId, { users }] of [...this.followed]) if (users === 0) this.stop(sessionId);
  }

  onApplicationShutdown(): void {
    for (const sessionId of [...this.followed.keys()]) this.stop(sessionId);
  }

  private start(sessionId: string): Followed {
    if (this.followed.size >= this.maxStreams) this.stopOneUnused();
    if (this.followed.size >= this.maxStreams) throw new TooManyStreamsError(this.maxStreams);
    const source = this.log.source(sessionId);
    const followed = { follower: new SessionFollower(source, this.budget, this.watch(sessionId)), users: 0 };
    this.followed.set(sessionId, followed);
    return followed;
  }

  private watch(sessionId: string): FollowWatch {
    return {
      opened: () => (this.connections.opened += 1),
      lost: () => (this.connections.lost += 1),
      seen: (situation) => this.sightings.situation(sessionId, situation),
    };
  }

  private leave(sessionId: string, followed: Followed, release: 'soon' | 'at_once'): void {
    followed.users -= 1;
    if (followed.users > 0 || this.followed.get(sessionId) !== followed) return;
    if (release === 'at_once') return this.stop(sessionId);
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
