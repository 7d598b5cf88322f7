import { ApiError, unreadableLog } from '../api-error.js';
import { runDetached } from '../../context/request.js';
import { type EventCursor } from '../log/cursor.js';
import { type FetchPage, type LogEvent } from '../log/event.js';
import { readEvents, type ReadResult } from '../log/reader.js';
import { type Situation } from '../log/situation.js';
import { readSituation } from '../log/situation-reader.js';
import { pause } from '../timing.js';
import { RecentFrames, CachedLog } from './cached-log.js';
import { type ReadShare } from './read-budget.js';
import { keepStreaming, type LogSource, type StreamObserver } from './stream-loop.js';

/** How long a wait postpones its first read until the stream is open, in milliseconds. */
const OPENING_MS = 2000;
/** After how long the list contains every event from before the stream was open, with a margin, in milliseconds. */
const LISTED_MS = 2500;
/** How often to read while no stream is open and attempts to open one are further apart, in milliseconds. */
const POLLING_MS = 10_000;
/** How long a read stays valid until then, and whenever no stream is open, in milliseconds. */
const DOUBTFUL_AGE_MS = 500;
/** How long a read stays valid while an open stream shows nothing, in milliseconds: the stream may be broken. */
const QUIET_AGE_MS = 60_000;
/** How long the status of the session object stays valid, in milliseconds. */
const STATUS_AGE_MS = 15_000;
/** Frames of one burst arrive together and need one read. In milliseconds. */
const BURST_MS = 15;

/** Status events of the session, or of a sub-agent's thread, which closes its calls when it ends. */
const IS_STATUS = /^session\.(thread_)?status_/;

/** Receives changes of the session. */
export interface FollowListener {
  /** The situation may have changed and should be read again. */
  changed(): void;
  /** An agent sent a message. */
  messageSent?(message: LogEvent): void;
}

/** Receives the events of a follower; for metrics. */
export interface FollowerObserver {
  opened(): void;
  lost(): void;
  seen(situation: Situation): void;
}

/**
 * Follows one session for all waits on it. The stream triggers reads; the list supplies the events, because only the list
 * is complete and ordered. The latest frames of the stream are merged in, because the list can lag them.
 */
export class SessionFollower implements StreamObserver {
  /** Whether the stream announced that the session was deleted. */
  deleted = false;
  /** Resolves when the stream is open, has failed or takes too long. An earlier read would have to be repeated. */
  readonly ready: Promise<void>;
  private readonly closing = new AbortController();
  private readonly listeners = new Set<FollowListener>();
  private readonly frames = new RecentFrames();
  private readonly fetchPage: FetchPage;
  private readonly recent: CachedLog;
  private readonly currentSituation: CachedRead<Situation>;
  private readonly currentLog: CachedRead<void>;
  private readonly currentStatus: CachedRead<string | undefined>;
  private logRead: Promise<void> = Promise.resolve();
  private readonly opening = new AbortController();
  private burst: NodeJS.Timeout | undefined;
  private nextNotice: NodeJS.Timeout | undefined;
  private connected = false;

  constructor(
    source: LogSource,
    budget: ReadShare,
    private readonly watch?: FollowerObserver,
  ) {
    this.ready = pause(OPENING_MS, this.opening.signal);
    this.fetchPage = async (query) => {
      await budget.take(this.closing.signal);
      if (this.closing.signal.aborted) throw new ApiError({ kind: 'cancelled', operation: 'sessions.events.list' });
      return runDetached(() => source.fetchPage(query));
    };
    this.recent = new CachedLog(this.fetchPage);
    this.currentSituation = new CachedRead(() => this.readSituation());
    this.currentLog = new CachedRead(() => this.exclusively(() => this.recent.catchUp()));
    this.currentStatus = new CachedRead(() => this.readStatus(source, budget));
    runDetached(() => void keepStreaming(source, budget, this, this.closing.signal));
  }

  /** Whether the stream is open; otherwise the follower polls. */
  get streaming(): boolean {
    return this.connected;
  }

  /** The current situation. Throws the errors of reading. */
  situation(): Promise<Situation> {
    return this.currentSituation.get(this.maxAgeMs);
  }

  /**
   * Whether the session object says that the session has ended; the log may lack the event. Read at most once in
   * {@link STATUS_AGE_MS}; a read that fails counts as no, because the log decides then.
   */
  async isTerminated(): Promise<boolean> {
    return (await this.currentStatus.get(STATUS_AGE_MS)) === 'terminated';
  }

  /** Makes the next call read again, even without a change: the list can lag. */
  expire(): void {
    this.currentSituation.expire();
    this.currentLog.expire();
  }

  /** The events after a cursor, oldest first. Throws the errors of reading. */
  read(since: EventCursor, limit: number): Promise<ReadResult> {
    return this.readListed(since, limit).catch((error: unknown) => {
      throw unreadableLog(error);
    });
  }

  /** Returns a function that removes the listener. */
  listen(listener: FollowListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Closes the stream and clears all timers. */
  close(): void {
    clearTimeout(this.burst);
    clearTimeout(this.nextNotice);
    this.opening.abort();
    this.closing.abort();
    this.listeners.clear();
  }

  opened(): void {
    this.connected = true;
    this.watch?.opened();
    this.notifyChange();
    // Events from just before are in no frame, and the list may still lack them.
    this.notifyIn(LISTED_MS);
  }

  lost(): void {
    this.connected = false;
    this.watch?.lost();
    this.notifyChange();
    this.notifyIn(POLLING_MS);
  }

  frame(event: LogEvent): void {
    if (event.type === 'session.deleted') this.deleted = true;
    this.frames.add(event);
    this.currentLog.expire();
    // A status that wakes no wait still makes the cached situation outdated.
    if (shouldWakeWaiters(event) || IS_STATUS.test(event.type)) this.currentSituation.expire();
    if (event.type === 'agent.message') for (const listener of this.listeners) listener.messageSent?.(event);
    if (shouldWakeWaiters(event)) this.burst ??= setTimeout(() => this.notifyChange(), BURST_MS);
  }

  private get maxAgeMs(): number {
    return this.connected && this.nextNotice === undefined ? QUIET_AGE_MS : DOUBTFUL_AGE_MS;
  }

  private notifyChange(): void {
    this.opening.abort();
    clearTimeout(this.burst);
    this.burst = undefined;
    this.expire();
    for (const listener of this.listeners) listener.changed();
  }

  /** Reads once more after `ms`, and repeatedly while no stream is open. */
  private notifyIn(ms: number): void {
    clearTimeout(this.nextNotice);
    this.nextNotice = setTimeout(() => {
      this.nextNotice = undefined;
      this.notifyChange();
      if (!this.connected) this.notifyIn(POLLING_MS);
    }, ms);
  }

  private async readSituation(): Promise<Situation> {
    const situation = await readSituation(this.fetchPage, this.frames.all());
    this.watch?.seen(situation);
    return situation;
  }

  private async readStatus(source: LogSource, budget: ReadShare): Promise<string | undefined> {
    if (!source.fetchStatus) return undefined;
    await budget.take(this.closing.signal);
    if (this.closing.signal.aborted) return undefined;
    return runDetached(() => source.fetchStatus!()).catch(() => undefined);
  }

  private async readListed(since: EventCursor, limit: number): Promise<ReadResult> {
    if (this.recent.covers(since)) await this.currentLog.get(this.maxAgeMs);
    if (!this.recent.covers(since)) await this.exclusively(() => this.startLog(since));
    const fetchPage = this.recent.covers(since) ? this.recent.pages() : this.fetchPage;
    return readEvents(fetchPage, { since, limit });
  }

  private async startLog(since: EventCursor): Promise<void> {
    // Another call may have started it while this one waited for the lock.
    if (!this.recent.covers(since)) await this.recent.startAt(since);
  }

  /** Reads of the cached log run one after the other. */
  private exclusively(work: () => Promise<void>): Promise<void> {
    const read = this.logRead.then(work);
    this.logRead = read.catch(() => undefined);
    return read;
  }
}

/**
 * A value read from the API: concurrent callers share one request, and its answer is cached until it is too old. Not
 * `lru-cache` with `fetchMethod`: the permitted age depends on the caller, and a read that is outdated must still answer
 * those who wait for it.
 */
export class CachedRead<T> {
  private current: { readonly reading: Promise<T>; readonly since: number } | undefined;

  constructor(private readonly read: () => Promise<T>) {}

  /** The next call reads again; callers that wait for the running read still get its answer. */
  expire(): void {
    this.current = undefined;
  }

  /** The answer of a read that started at most `maxAgeMs` ago. */
  get(maxAgeMs: number): Promise<T> {
    const now = performance.now();
    if (this.current && now - this.current.since <= maxAgeMs) return this.current.reading;
    const reading = this.read();
    const current = { reading, since: now };
    this.current = current;
    reading.catch(() => {
      if (this.current === current) this.current = undefined;
    });
    return reading;
  }
}

const WAKING_TYPES: ReadonlySet<string> = new Set([
  'session.status_idle',
  'session.status_terminated',
  'session.deleted',
  'agent.custom_tool_use',
  'span.outcome_evaluation_end',
]);

/**
 * Whether waits should read the session again after this event. Most events change nothing that a wait returns for, and
 * each read costs requests.
 */
export function shouldWakeWaiters(event: LogEvent): boolean {
  if (WAKING_TYPES.has(event.type) || event.type.startsWith('user.')) return true;
  const isToolUse = event.type === 'agent.tool_use' || event.type === 'agent.mcp_tool_use';
  return isToolUse && event.evaluated_permission === 'ask';
}
