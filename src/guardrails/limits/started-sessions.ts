import { randomUUID } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { type ToolCall } from '../../context/call.js';
import { type RedisConnection } from './redis-connection.js';

/** How many sessions of one caller are remembered, the newest ones; far more than a caller may have running. */
export const MAX_REMEMBERED = 500;
/** A caller that starts nothing for this long is forgotten, in seconds. */
const FORGET_AFTER_SECONDS = 7 * 24 * 3600;
/** How many callers are remembered in memory, those with the latest starts. */
const MAX_CALLERS = 10_000;

/** Marks a start in the list until its session has an id. No id contains a colon. */
const BEGINNING = 'start:';
/** A start with an unknown result no longer counts after this long, in milliseconds. */
const STALE_AFTER_MS = 600_000;
/** Ends the entry of a start that has ended with an unknown result: its answer was lost, or named no session. */
const ENDED = ':ended';
/** Between the id of a session that was started with work and the time of that, in milliseconds. No id contains it. */
const STARTED_AT = '@';
/**
 * How long the API's list and status may take to show that a session runs, in milliseconds. The status of a session is
 * known to lag by up to two seconds.
 */
export const LAG_MS = 10_000;

/** For injection. */
export const STARTED_SESSIONS = Symbol('started sessions');

/** The starts and sessions of each caller through this server, oldest first. */
export interface StartedSessions {
  /** Appends a start to the list and returns the entries before it, in one step. */
  begin(key: string, start: string): Promise<string[]>;
  /** Replaces the start with the entry of the session it created, or of a start with an unknown result. */
  replace(key: string, start: string, entry: string): Promise<void>;
  /** Removes a start that created no session. */
  forget(key: string, start: string): Promise<void>;
}

export function newStart(): string {
  return `${BEGINNING}${Date.now()}:${randomUUID()}`;
}

/** The entry of a start that has ended with an unknown result. */
export function endedStart(start: string): string {
  return `${start}${ENDED}`;
}

/** The entry of a session. One that was started with work counts as running until the API shows otherwise. */
export function sessionEntry(sessionId: string, hasWork: boolean): string {
  return hasWork ? `${sessionId}${STARTED_AT}${Date.now()}` : sessionId;
}

/** What a list holds: sessions, and the starts of which no session is known. */
export interface Started {
  readonly sessions: readonly string[];
  /** Those of the sessions that the API may not show as running yet. */
  readonly recent: ReadonlySet<string>;
  /** How many starts are in progress. */
  readonly inProgress: number;
  /** When the starts began whose result is unknown, in milliseconds as of `Date.now()`. */
  readonly unknown: readonly number[];
}

export function sorted(list: readonly string[], now = Date.now()): Started {
  const isStart = (entry: string) => entry.startsWith(BEGINNING);
  const sessions = list.filter((entry) => !isStart(entry)).map((entry) => entry.split(STARTED_AT));
  const starts = list
    .filter(isStart)
    .map((entry) => ({ begun: Number(entry.split(':')[1]), hasEnded: entry.endsWith(ENDED) }))
    .filter(({ begun }) => begun > now - STALE_AFTER_MS);
  return {
    sessions: sessions.map(([id = '']) => id),
    recent: new Set(sessions.filter(([, startedAt]) => Number(startedAt) > now - LAG_MS).map(([id = '']) => id)),
    inProgress: starts.filter(({ hasEnded }) => !hasEnded).length,
    unknown: starts.filter(({ hasEnded }) => hasEnded).map(({ begun }) => begun),
  };
}

/**
 * Reasons with which a start fails without creating a session: the API refused it, or the request was never sent. After
 * every other failure (a lost answer, a 5xx) there may be a session.
 */
const NOTHING_WAS_STARTED: ReadonlySet<string | undefined> = new Set([
  'invalid_request_error',
  'authentication_error',
  'billing_error',
  'permission_error',
  'not_found_error',
  'request_too_large',
  'rate_limit_error',
  'connection',
  'credentials',
]);

/** Whether it is certain that an ended call started no session. */
export function startedNothing({ outcome, reason, createdSessionId }: ToolCall): boolean {
  if (createdSessionId !== undefined || outcome === 'ok') return false;
  return outcome !== 'failed' || NOTHING_WAS_STARTED.has(reason);
}

/** For a single process. */
export class StartedSessionsInMemory implements StartedSessions {
  private readonly lists = new LRUCache<string, string[]>({ max: MAX_CALLERS });

  begin(key: string, start: string): Promise<string[]> {
    const before = this.lists.get(key) ?? [];
    this.lists.set(key, [...before, start].slice(-MAX_REMEMBERED));
    return Promise.resolve(before);
  }

  replace(key: string, start: string, entry: string): Promise<void> {
    const list = this.lists.peek(key);
    const position = list?.indexOf(start) ?? -1;
    if (position >= 0) list?.splice(position, 1, entry);
    return Promise.resolve();
  }

  forget(key: string, start: string): Promise<void> {
    const list = this.lists.peek(key);
    const position = list?.indexOf(start) ?? -1;
    if (position >= 0) list?.splice(position, 1);
    return Promise.resolve();
  }
}

/** A sorted set for each caller; the score is the order. Scripts are atomic, and replicas may start sessions simultaneously. */
const BEGIN = `
  local last = redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')
  redis.call('ZADD', KEYS[1], (last[2] or 0) + 1, ARGV[1])
  redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -1 - ARGV[2])
  redis.call('EXPIRE', KEYS[1], ARGV[3])
  return redis.call('ZRANGE', KEYS[1], 0, -2)`;
const REPLACE = `
  local order = redis.call('ZSCORE', KEYS[1], ARGV[1])
  if order then
    redis.call('ZREM', KEYS[1], ARGV[1])
    redis.call('ZADD', KEYS[1], order, ARGV[2])
  end`;

/** For replicas that share a Redis. */
export class StartedSessionsInRedis implements StartedSessions {
  constructor(private readonly redis: RedisConnection) {}

  async begin(key: string, start: string): Promise<string[]> {
    const { client } = this.redis;
    return (await client.eval(BEGIN, 1, name(key), start, MAX_REMEMBERED, FORGET_AFTER_SECONDS)) as string[];
  }

  async replace(key: string, start: string, entry: string): Promise<void> {
    await this.redis.client.eval(REPLACE, 1, name(key), start, entry);
  }

  async forget(key: string, start: string): Promise<void> {
    await this.redis.client.zrem(name(key), start);
  }
}

function name(key: string): string {
  return `managed-agent-control:started:${key}`;
}
