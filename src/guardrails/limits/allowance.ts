import { type RateLimiterAbstract } from 'rate-limiter-flexible';
import { type LimitsSettings } from '../../config/limits.settings.js';
import { type RedisConnection } from './redis-connection.js';

/** How often each caller may do something within a window of time. The window begins with the first use. */
export interface AllowanceOptions {
  readonly name: 'calls' | 'starts';
  readonly times: number;
  readonly windowSeconds: number;
}

/** Counts what callers use of an allowance: in this process or, in Redis, for all replicas together. */
export class Allowance {
  private constructor(private readonly limiter: RateLimiterAbstract) {}

  static async of(
    { name, times, windowSeconds }: AllowanceOptions,
    redis: RedisConnection | undefined,
  ): Promise<Allowance> {
    const { RateLimiterMemory, RateLimiterRedis } = await import('rate-limiter-flexible');
    const options = { keyPrefix: `managed-agent-control:${name}`, points: times, duration: windowSeconds };
    return new Allowance(
      redis
        ? new RateLimiterRedis({ ...options, storeClient: redis.client, rejectIfRedisNotReady: true })
        : new RateLimiterMemory(options),
    );
  }

  /** Takes one. If none is left, takes nothing and returns the seconds until one is available. */
  async take(key: string): Promise<number | undefined> {
    try {
      await this.limiter.consume(key);
      return undefined;
    } catch (refused) {
      // The library throws its own result object when the limit is reached, and an Error when the store fails.
      if (refused instanceof Error) throw refused;
      // It also counts refused attempts, which would use up what is given back.
      await this.giveBack(key);
      return Math.max(1, Math.ceil((refused as { msBeforeNext: number }).msBeforeNext / 1000));
    }
  }

  async giveBack(key: string): Promise<void> {
    await this.limiter.reward(key);
  }
}

/** The allowances the settings ask for. */
export class Allowances {
  private constructor(
    readonly calls: Allowance | undefined,
    readonly starts: Allowance | undefined,
  ) {}

  static async from(settings: LimitsSettings, redis: RedisConnection | undefined): Promise<Allowances> {
    const { callsPerMinute, maxStartsPerHour } = settings;
    const of = (name: AllowanceOptions['name'], times: number | undefined, windowSeconds: number) =>
      times === undefined ? undefined : Allowance.of({ name, times, windowSeconds }, redis);
    return new Allowances(await of('calls', callsPerMinute, 60), await of('starts', maxStartsPerHour, 3600));
  }
}
