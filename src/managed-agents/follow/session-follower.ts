import { runDetached } from '../../context/request.js';
import { ApiError } from '../api-error.js';
import { unreadableLog } from '../unreadable-log.js';
import { type EventCursor } from '../log/cursor.js';
import { type FetchPage, type LogEvent } from '../log/event.js';
import { readEvents, type ReadResult } from '../log/reader.js';
import { readSituation, type Situation } from '../log/situation.js';
import { type LogSource } from './log-source.js';
import { pause } from './pause.js';
import { type ReadBudget } from './read-budget.js';
import { RecentLog } from './recent-log.js';
import { RecentFrames } from './recent-frames.js';
import { SharedRead } from './shared-read.js';
import { keepStreaming, type StreamObserver } from './stream-loop.js';
import { isTelling } from './telling.js';

/** How long those who wait are kept from looking at the list before the stream is open, in milliseconds. */
const OPENING_MS = 2000;
/** By when the list has what happened before the stream was open, with room to spare, in milliseconds. */
const LISTED_MS = 2500;
/** While there is no stream: how often to look if attempts to open one are further apart, in milliseconds. */
const POLLING_MS = 10_000;
/** For how long a reading is believed until then, and whenever there is no stream, in milliseconds. */
const DOUBTFUL_AGE_MS = 500;
/** For how long while nothing happens: a stream that shows nothing may be broken, in milliseconds. */
const QUIET_AGE_MS = 60_000;
/** Frames of one burst arrive together; looking once after them is enough. In milliseconds. */
const BURST_MS = 15;

/** Of the session, or of a sub-agent, whose calls are closed with it. */
const IS_STATUS = /^session\.(thread_)?status_/;

/** Told about changes. The frame is there when one caused it. */
export interface FollowListener {
  /** The session may be doing something else than before: look again. */
  changed(): void;
  /** An agent said something. */
  said?(message: LogEvent): void;
}

/** Told what becomes of the following, by whoever keeps count of it. */
export interface FollowWatch {
  opened(): void;
  lost(): void;
  seen(situation: Situation): void;
}

/**
 * Follows one session for all who wait for it. The stream says *when* to look, the list says *what* there is: it alone
 * is complete and ordered. What the stream has shown lately is merged in, because the list can be a moment behind.
 */
export class SessionFollower implements StreamObserver {
  /** Whether the session was deleted, as far as the stream told. */
  deleted = false;
  /** Resolves when the stream is open, failed or takes too long. Looking before that would mean looking twice. */
  readonly ready: Promise<void>;
  private readonly closing = new AbortController();
  private readonly listeners = new Set<FollowListener>();
  private readonly frames = new RecentFrames();
  private readonly fetchPage: FetchPage;
  private readonly recent: RecentLog;
  private readonly currentSituation: SharedRead<Situation>;
  private readonly currentLog: SharedRead<void>;
  private logReading: Promise<void> = Promise.resolve();
  private readonly opening = new AbortController();
  private burst: NodeJS.Timeout | undefined;
  private nextLook: NodeJS.Timeout | undefined;
  private connected = false;

  constructor(
    source: LogSource,
    budget: ReadBudget,
    private readonly watch?: FollowWatch,
  ) {
    this.ready = pause(OPENING_MS, this.opening.signal);
    this.fetchPage = async (query) => {
      await budget.take(this.closing.signal);
      if (this.closing.signal.aborted) throw new ApiError({ kind: 'cancelled', operation: 'list events' });
      return runDetached(() => source.fetchPage(query));
    };
    this.recent = new RecentLog(this.fetchPage);
    this.currentSituation = new SharedRead(() => this.readSituation());
    this.currentLog = new SharedRead(() => this.inTurn(() => this.recent.catchUp()));
    runDetached(() => void keepStreaming(source, budget, this, this.closing.signal));
  }

  /** Whether changes arrive by themselves; otherwise the API is asked from time to time. */
  get streaming(): boolean {
    return this.connected;
  }

  /** What the session is doing. Throws what reading throws. */
  situation(): Promise<Situation> {
    return this.currentSituation.get(this.maxAgeMs);
  }

  /** Whoever asks next gets a new reading, even if nothing has happened: the list can be behind. */
  expire(): void {
    this.currentSituation.expire();
    this.currentLog.expire();
  }

  /** The events after a cursor, oldest first. Throws what reading throws. */
  read(since: EventCursor, limit: number): Promise<ReadResult> {
    return this.readListed(since, limit).catch((error: unknown) => {
      throw unreadableLog(error);
    });
  }

  /** The returned function ends the listening. */
  listen(listener: FollowListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Releases stream and timers at once. */
  close(): void {
    clearTimeout(this.burst);
    clearTimeout(this.nextLook);
    this.opening.abort();
    this.closing.abort();
    this.listeners.clear();
  }

  opened(): void {
    this.connected = true;
    this.watch?.opened();
    this.lookAgain();
    // What happened shortly before is in no frame, and the list may lack it still.
    this.lookIn(LISTED_MS);
  }

  lost(): void {
    this.connected = false;
    this.watch?.lost();
    this.lookAgain();
    this.lookIn(POLLING_MS);
  }

  frame(event: LogEvent): void {
    if (event.type === 'session.deleted') this.deleted = true;
    this.frames.add(event);
    this.currentLog.expire();
    // Whoever looks next gets what is true then, even after a status that is no reason to look.
    if (isTelling(event) || IS_STATUS.test(event.type)) this.currentSituation.expire();
    if (event.type === 'agent.message') for (const listener of this.listeners) listener.said?.(event);
    if (isTelling(event)) this.burst ??= setTimeout(() => this.lookAgain(), BURST_MS);
  }

  private get maxAgeMs(): number {
    return this.connected && this.nextLook === undefined ? QUIET_AGE_MS : DOUBTFUL_AGE_MS;
  }

  private lookAgain(): void {
    this.opening.abort();
    clearTimeout(this.burst);
    this.burst = undefined;
    this.expire();
    for (const listener of this.listeners) listener.changed();
  }

  /** Looks once more after a while; again and again while there is no stream. */
  private lookIn(ms: number): void {
    clearTimeout(this.nextLook);
    this.nextLook = setTimeout(() => {
      this.nextLook = undefined;
      this.lookAgain();
      if (!this.connected) this.lookIn(POLLING_MS);
    }, ms);
  }

  private async readSituation(): Promise<Situation> {
    const situation = await readSituation(this.fetchPage, this.frames.all());
    this.watch?.seen(situation);
    return situation;
  }

  private async readListed(since: EventCursor, limit: number): Promise<ReadResult> {
    if (this.recent.covers(since)) await this.currentLog.get(this.maxAgeMs);
    if (!this.recent.covers(since)) await this.inTurn(() => this.startLog(since));
    const fetchPage = this.recent.covers(since) ? this.recent.pages() : this.fetchPage;
    return readEvents(fetchPage, { since, limit });
  }

  private async startLog(since: EventCursor): Promise<void> {
    // Somebody may have started it while this waited for its turn.
    if (!this.recent.covers(since)) await this.recent.startAt(since);
  }

  /** The log is one thing that all read: one reading after the other. */
  private inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.logReading.then(work);
    this.logReading = turn.catch(() => undefined);
    return turn;
  }
}
