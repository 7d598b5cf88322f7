import { Injectable } from '@nestjs/common';
import { TrustedIssuers } from '../auth/provider/trusted-issuers.js';
import { AuthSettings } from '../config/auth.settings.js';
import { LimitsSettings } from '../config/limits.settings.js';
import { RedisConnection } from '../guardrails/limits/redis-connection.js';
import { Shutdown } from '../mcp/shutdown.js';
import { ReadinessCheck } from './readiness.js';

/**
 * Fails as soon as the shutdown begins, while requests are still answered, so that load balancers send new requests to
 * other replicas.
 */
@Injectable()
export class CallsCheck extends ReadinessCheck {
  readonly name = 'accepting_calls';
  readonly applies = true;

  constructor(private readonly shutdown: Shutdown) {
    super();
  }

  isReady(): boolean {
    return !this.shutdown.leaving.aborted;
  }
}

/**
 * Fails until the signing keys of every trusted issuer are known: without them this replica would refuse callers that
 * other replicas accept. Known keys stay in use while the provider is unavailable, so its outage affects no running
 * replica.
 */
@Injectable()
export class IdentityProviderCheck extends ReadinessCheck {
  readonly name = 'identity_provider_keys';
  readonly applies: boolean;

  constructor(
    { usesProvider }: AuthSettings,
    private readonly issuers: TrustedIssuers,
  ) {
    super();
    this.applies = usesProvider;
  }

  isReady(): boolean {
    return this.issuers.all().every(({ keys }) => keys.known);
  }
}

/** Fails while calls cannot be counted in the Redis in which replicas share their limits: it is written to. */
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

  async isReady(): Promise<boolean> {
    return (await this.redis.failure()) === undefined;
  }
}
