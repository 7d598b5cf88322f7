import { Module } from '@nestjs/common';
import { LimitsSettings } from '../../config/limits.settings.js';
import { ManagedAgentsModule } from '../../managed-agents/managed-agents.module.js';
import { Allowances } from './allowance.js';
import { RedisConnection } from './redis-connection.js';
import { RedisModule } from './redis.module.js';
import { STARTED_SESSIONS, StartedSessionsInMemory, StartedSessionsInRedis } from './started-sessions.js';

/** Where the limits are counted: in the memory of this process, or in Redis. */
@Module({
  imports: [ManagedAgentsModule, RedisModule],
  providers: [
    {
      provide: Allowances,
      inject: [LimitsSettings, RedisConnection],
      useFactory: (settings: LimitsSettings, redis: RedisConnection | undefined) => Allowances.from(settings, redis),
    },
    {
      provide: STARTED_SESSIONS,
      inject: [RedisConnection],
      useFactory: (redis: RedisConnection | undefined) =>
        redis ? new StartedSessionsInRedis(redis) : new StartedSessionsInMemory(),
    },
  ],
  exports: [ManagedAgentsModule, RedisModule, Allowances, STARTED_SESSIONS],
})
export class LimitsModule {}
