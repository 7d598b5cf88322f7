import { Global, Module } from '@nestjs/common';
import { LimitsSettings } from '../../config/limits.settings.js';
import { ManagedAgentsModule } from '../../managed-agents/managed-agents.module.js';
import { Allowances } from './allowance.js';
import { RedisConnection } from './redis-connection.js';
import { STARTED_SESSIONS, StartedSessionsInMemory, StartedSessionsInRedis } from './started-sessions.js';
import { ClaimsInMemory, ClaimStore } from '../../managed-agents/respond/claims.js';
import { ClaimsInRedis } from './claims-in-redis.js';
import { StoreHealth } from './store-health.js';

/** What replicas share. Global, because the API module declares a store of claims and does not import this module. */
@Global()
@Module({
  providers: [
    StoreHealth,
    {
      provide: RedisConnection,
      inject: [LimitsSettings, StoreHealth],
      useFactory: ({ redisUrl }: LimitsSettings, health: StoreHealth) =>
        redisUrl === undefined ? undefined : RedisConnection.to(redisUrl, health),
    },
    {
      provide: ClaimStore,
      inject: [RedisConnection, StoreHealth],
      useFactory: (redis: RedisConnection | undefined, health: StoreHealth) =>
        redis ? new ClaimsInRedis(redis, health) : new ClaimsInMemory(),
    },
  ],
  exports: [StoreHealth, RedisConnection, ClaimStore],
})
class RedisModule {}

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
