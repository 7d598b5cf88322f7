import { Injectable } from '@nestjs/common';
import { RedisConnection } from '../../guardrails/limits/redis-connection.js';
import { LimitsSettings } from '../../config/limits.settings.js';
import { ReadinessCheck } from '../readiness-check.js';

/** The Redis in which replicas share their limits. */
@Injectable()
export class RedisCheck extends ReadinessCheck {
  readonly name = 'redis';
  readonly applies: boolean;

  constructor(
    { redisUrl }: LimitsSettings,
    private readonly redis: RedisConnection,
  ) {
    super();
    this.applies = redisUrl !== undefined;
  }

  isReady(): Promise<boolean> {
    return this.redis.answers();
  }
}
