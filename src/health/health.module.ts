import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import { GuardrailsModule } from '../guardrails/guardrails.module.js';
import { ShutdownModule } from '../mcp/shutdown.js';
import { MainPortHealthController } from './health.controller.js';
import { Readiness, READINESS_CHECKS, type ReadinessCheck } from './readiness.js';
import { CallsCheck, IdentityProviderCheck, RedisCheck } from './readiness-checks.js';

/** The Anthropic API is not checked: while it is unavailable, moving requests to another replica helps no caller. */
const CHECKS = [CallsCheck, IdentityProviderCheck, RedisCheck];

/** Whether the process is alive and should get requests. It reads the state of other modules; none of them imports it. */
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
