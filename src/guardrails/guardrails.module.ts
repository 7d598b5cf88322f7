import { Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { ToolAccess } from '../mcp/tool-access.js';
import { CallerRoles } from './caller-roles.js';
import { GuardrailsGuard, POLICIES } from './guardrails.guard.js';
import { AgentAllowlistPolicy } from './policies/agent-allowlist.policy.js';
import { EnvironmentAllowlistPolicy } from './policies/environment-allowlist.policy.js';
import { RolePolicy } from './policies/role.policy.js';
import { TierPolicy } from './policies/tier.policy.js';
import { type Policy } from './policy.js';

const POLICY_CLASSES = [TierPolicy, RolePolicy, AgentAllowlistPolicy, EnvironmentAllowlistPolicy];

/** What callers may do with the operator's key. */
@Module({
  providers: [
    CallerRoles,
    ...POLICY_CLASSES,
    { provide: POLICIES, inject: POLICY_CLASSES, useFactory: (...policies: Policy[]) => policies },
    GuardrailsGuard,
    { provide: APP_GUARD, useExisting: GuardrailsGuard },
    { provide: ToolAccess, useExisting: GuardrailsGuard },
  ],
  exports: [ToolAccess],
})
export class GuardrailsModule {}
