import { type Problem, type Section } from './read-settings.js';
import { parseRedisUrl, REDIS_URL, RedisUrlError } from './redis-url.js';
import { Setting } from './setting.decorator.js';

/** Limits for the cost of a session and for the calls of one caller. Nothing is limited by default. */
export class LimitsSettings implements Section {
  static readonly title = 'Limits';

  @Setting({
    env: 'MCP_DEFAULT_BUDGET_USD',
    kind: { type: 'usd' },
    example: '2.50',
    defaultText: 'none; with `MCP_MAX_BUDGET_USD`, that',
    summary:
      'Budget of every session that is started without `budget_usd`, in US dollars. Agents with models that have no list price cannot be started with a budget.',
  })
  readonly defaultBudgetUsd?: number;

  @Setting({
    env: 'MCP_MAX_BUDGET_USD',
    kind: { type: 'usd' },
    example: '25',
    summary:
      'Largest budget of a session, in US dollars: larger ones are refused when a session is started or updated, and budgets cannot be removed. It also is the budget of sessions started without one, unless there is a default.',
  })
  readonly maxBudgetUsd?: number;

  @Setting({
    env: 'MCP_MAX_STARTS_PER_HOUR',
    kind: { type: 'integer', min: 1, max: 100_000 },
    example: '20',
    summary:
      'How many sessions one caller may start within an hour, which begins with the first of them. A start that certainly did not happen does not count.',
  })
  readonly maxStartsPerHour?: number;

  @Setting({
    env: 'MCP_MAX_RUNNING_SESSIONS',
    kind: { type: 'integer', min: 1, max: 400 },
    example: '5',
    summary:
      'How many sessions one caller may have running when another one is started. Counted are those the caller started through this server that the API lists as running or rescheduling, and starts under way; idle ones are not.',
  })
  readonly maxRunningSessions?: number;

  @Setting({
    env: 'MCP_RATE_LIMIT_PER_MINUTE',
    kind: { type: 'integer', min: 1, max: 100_000 },
    example: '120',
    summary: 'How many tool calls one caller may make within a minute, which begins with the first of them.',
  })
  readonly callsPerMinute?: number;

  @Setting({
    env: 'MCP_REDIS_URL',
    kind: { type: 'text', ...REDIS_URL },
    secret: true,
    example: 'rediss://user:password@redis.example.com:6380/0',
    defaultText: 'each process counts its own calls, in memory',
    summary:
      'Redis in which replicas share their counts: one server, some nodes of a cluster (`redis+cluster://user:password@node-1:6379,node-2:6379`), or sentinels with the name of the primary (`redis+sentinel://user:password@sentinel-1:26379,sentinel-2:26379/mymaster/0`; `?sentinel_password=…` where they have one of their own). With `rediss…` connections use TLS. User and password are percent-encoded.',
  })
  readonly redisUrl?: string;

  @Setting({
    env: 'MCP_RATE_LIMIT_ON_STORE_FAILURE',
    kind: { type: 'choice', of: ['open', 'closed'] },
    defaultText: '`closed` for starting sessions, `open` for everything else',
    summary:
      'What happens to calls whose limit cannot be checked because Redis is unavailable: `open` allows them without counting, `closed` refuses them.',
  })
  readonly onStoreFailure?: 'open' | 'closed';

  /** The budget of a session that is started without one, in US dollars. */
  get startBudgetUsd(): number | undefined {
    return this.defaultBudgetUsd ?? this.maxBudgetUsd;
  }

  check(): Problem[] {
    return [...this.budgetProblems(), ...this.redisProblems()];
  }

  private budgetProblems(): Problem[] {
    const { defaultBudgetUsd, maxBudgetUsd } = this;
    if (defaultBudgetUsd === undefined || maxBudgetUsd === undefined || defaultBudgetUsd <= maxBudgetUsd) return [];
    return [{ env: 'MCP_DEFAULT_BUDGET_USD', message: `is larger than MCP_MAX_BUDGET_USD (${maxBudgetUsd})` }];
  }

  private redisProblems(): Problem[] {
    if (this.redisUrl === undefined) return [];
    try {
      parseRedisUrl(this.redisUrl);
      return [];
    } catch (error) {
      if (!(error instanceof RedisUrlError)) throw error;
      return [{ env: 'MCP_REDIS_URL', message: error.message }];
    }
  }
}
