import { Global, Module } from '@nestjs/common';
import { LimitsSettings } from '../../config/limits.settings.js';
import { ClaimsInMemory, ClaimStore } from '../../managed-agents/respond/claims.js';
import { ClaimsInRedis } from './claims-in-redis.js';
import { RedisConnection } from './redis-connection.js';
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
export class RedisModule {}
