import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import { GuardrailsModule } from '../guardrails/guardrails.module.js';
import { ShutdownModule } from '../mcp/shutdown.module.js';
import { CallsCheck } from './checks/calls.check.js';
import { IdentityProviderCheck } from './checks/identity-provider.check.js';
import { RedisCheck } from './checks/redis.check.js';
import { MainPortHealthController } from './main-port.controller.js';
import { Readiness } from './readiness.js';
import { READINESS_CHECKS, type ReadinessCheck } from './readiness-check.js';

/** The Anthropic API is none of them: no replica is better off without requests while it is away. */
const CHECKS = [CallsCheck, IdentityProviderCheck, RedisCheck];

/** Whether the server lives and should get requests. Watches the other rooms from the side; none of them knows it. */
@Module({
  imports: [AuthModule, GuardrailsModule, ShutdownModule],
  controllers: [MainPortHealthController],
  providers: [
    ...CHECKS,
    { provide: READINESS_CHECKS, inject: CHECKS, useFactory: (...checks: ReadinessCheck[]) => checks },
    Readiness,
  ],
})
export class HealthModule {}
