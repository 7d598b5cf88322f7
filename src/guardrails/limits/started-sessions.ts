import { randomUUID } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { type RedisConnection } from './redis-connection.js';

/** As many sessions of one caller are remembered, the newest; far more than a caller may have running. */
export const MAX_REMEMBERED = 500;
/** A caller that starts nothing for so long is forgotten, in seconds. */
const FORGET_AFTER_SECONDS = 7 * 24 * 3600;
/** Callers remembered in memory, those that began a start last. */
const MAX_CALLERS = 10_000;

/** A start that has begun stands in the list until its session has an id; no id contains a colon. */
const BEGINNING = 'start:';
/** After so long a start that never told how it ended does not count any more, in milliseconds. */
const STALE_AFTER_MS = 600_000;

/** What a caller has begun and started through this server, oldest first. */
export interface StartedSessions {
  /** Puts a start at the end of the list and returns what stands before it, in one step. */
  begin(key: string, start: string): Promise<string[]>;
  /** The start has become a session. */
  succeed(key: string, start: string, sessionId: string): Promise<void>;
  /** The start came to nothing. */
  forget(key: string, start: string): Promise<void>;
}

export function newStart(): string {
  return `${BEGINNING}${Date.now()}:${randomUUID()}`;
}

/** Sorts a list into sessions and starts that are still under way. */
export function sorted(list: readonly string[]): { sessions: string[]; beginning: number } {
  const starts = list.filter((entry) => entry.startsWith(BEGINNING));
  const isFresh = (start: string) => Number(start.split(':')[1]) > Date.now() - STALE_AFTER_MS;
  return {
    sessions: list.filter((entry) => !entry.startsWith(BEGINNING)),
    beginning: starts.filter(isFresh).length,
  };
}

/** For a single process. */
export class StartedSessionsInMemory implements StartedSessions {
  private readonly lists = new LRUCache<string, string[]>({ max: MAX_CALLERS });

  begin(key: string, start: string): Promise<string[]> {
    const before = this.lists.get(key) ?? [];
    this.lists.set(key, [...before, start].slice(-MAX_REMEMBERED));
    return Promise.resolve(before);
  }

  succeed(key: string, start: string, sessionId: string): Promise<void> {
    const list = this.lists.peek(key);
    const position = list?.indexOf(start) ?? -1;
    if (position >= 0) list?.splice(position, 1, sessionId);
    return Promise.resolve();
  }

  forget(key: string, start: string): Promise<void> {
    const list = this.lists.peek(key);
    const position = list?.indexOf(start) ?? -1;
    if (position >= 0) list?.splice(position, 1);
    return Promise.resolve();
  }
}

/** A sorted set for each caller: the score is the order. Scripts, because two replicas may begin at the same moment. */
const BEGIN = `
  local last = redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')
  redis.call('ZADD', KEYS[1], (last[2] or 0) + 1, ARGV[1])
  redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -1 - ARGV[2])
  redis.call('EXPIRE', KEYS[1], ARGV[3])
  return redis.call('ZRANGE', KEYS[1], 0, -2)`;
const SUCCEED = `
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

  async succeed(key: string, start: string, sessionId: string): Promise<void> {
    await this.redis.client.eval(SUCCEED, 1, name(key), start, sessionId);
  }

  async forget(key: string, start: string): Promise<void> {
    await this.redis.client.zrem(name(key), start);
  }
}

function name(key: string): string {
  return `managed-agent-control:started:${key}`;
}
