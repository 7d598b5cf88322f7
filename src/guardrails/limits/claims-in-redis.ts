import { CLAIM_MS, ClaimsInMemory, ClaimStore } from '../../managed-agents/respond/claims.js';
import { inOwnTime } from './own-time.js';
import { type RedisConnection } from './redis-connection.js';
import { type StoreHealth } from './store-health.js';

const REPLACE = `
  if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
  if ARGV[2] == '' then redis.call('DEL', KEYS[1]) else redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end
  return 1`;
const TAKE = `
  local before = redis.call('GET', KEYS[1])
  if before then return before end
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
  return false`;

/** Claims of all replicas. While Redis cannot be used, each process uses its own. */
export class ClaimsInRedis extends ClaimStore {
  private readonly own = new ClaimsInMemory();

  constructor(
    private readonly redis: RedisConnection,
    private readonly health: StoreHealth,
  ) {
    super();
  }

  async take(key: string, value: string): Promise<string | undefined> {
    const own = await this.own.take(key, value);
    if (own !== undefined) return own;
    const before = await this.ask(() => this.redis.client.eval(TAKE, 1, name(key), value, CLAIM_MS));
    if (typeof before !== 'string') return undefined;
    await this.own.replace(key, value, undefined);
    return before;
  }

  async replace(key: string, expected: string, value: string | undefined): Promise<boolean> {
    const replaced = await this.own.replace(key, expected, value);
    const answer = await this.ask(() => this.redis.client.eval(REPLACE, 1, name(key), expected, value ?? '', CLAIM_MS));
    return answer === undefined ? replaced : answer === 1;
  }

  async useOnce(nonce: string, owner: string): Promise<boolean> {
    if (!(await this.own.useOnce(nonce, owner))) return false;
    const before = await this.ask(() => this.redis.client.eval(TAKE, 1, name(`used:${nonce}`), 'used', CLAIM_MS));
    return typeof before !== 'string';
  }

  private async ask(command: () => Promise<unknown>): Promise<unknown> {
    const result = await inOwnTime(this.health.answerTimeoutMs, command);
    if ('value' in result) return result.value;
    this.health.recordFailure(result.error);
    return undefined;
  }
}

function name(key: string): string {
  return `managed-agent-control:${key}`;
}
