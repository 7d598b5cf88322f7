import { Global, Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { ManagedAgentsModule } from '../managed-agents/managed-agents.module.js';
import { ResourceAccess } from '../mcp/resource-access.js';
import { ToolAccess } from '../mcp/tool-access.js';
import { ALLOWLISTS, CallerAccess, SESSION_RULES } from './caller-access.js';
import { CallerRoles } from './caller-roles.js';
import { GuardrailsGuard, POLICIES } from './guardrails.guard.js';
import { BudgetPolicy } from './limits/budget.policy.js';
import { CallRatePolicy } from './limits/call-rate.policy.js';
import { LimitsModule } from './limits/limits.module.js';
import { RunningSessionsPolicy } from './limits/running-sessions.policy.js';
import { StartRatePolicy } from './limits/start-rate.policy.js';
import { SealedCursor } from './listing/sealed-cursor.js';
import { AgentAllowlistPolicy } from './policies/agent-allowlist.policy.js';
import { AuditRequiredPolicy } from './policies/audit-required.policy.js';
import { EnvironmentAllowlistPolicy } from './policies/environment-allowlist.policy.js';
import { MemoryStoreAllowlistPolicy } from './policies/memory-store-allowlist.policy.js';
import { OwnershipPolicy } from './policies/ownership.policy.js';
import { ReservedMetadataPolicy } from './policies/reserved-metadata.policy.js';
import { RolePolicy } from './policies/role.policy.js';
import { TierPolicy } from './policies/tier.policy.js';
import { VaultAllowlistPolicy } from './policies/vault-allowlist.policy.js';
import { KnownSessions } from './sessions/known-sessions.js';

const ALLOWLIST_CLASSES = [
  AgentAllowlistPolicy,
  EnvironmentAllowlistPolicy,
  VaultAllowlistPolicy,
  MemoryStoreAllowlistPolicy,
];

/** In the order in which they are asked: from what is decided without looking at anything to what needs a look. */
const POLICY_CLASSES = [
  TierPolicy,
  RolePolicy,
  ...ALLOWLIST_CLASSES,
  ReservedMetadataPolicy,
  OwnershipPolicy,
  AuditRequiredPolicy,
  // Those that count come last: what another rule refuses takes nothing of an allowance.
  BudgetPolicy,
  CallRatePolicy,
  RunningSessionsPolicy,
  StartRatePolicy,
];

/** The instances of these classes together, under one token. */
const together = (provide: symbol, inject: (new (...args: never[]) => object)[]) => ({
  provide,
  inject,
  useFactory: (...instances: object[]) => instances,
});

/** What callers may do with the operator's key. Global: tool modules ask {@link ResourceAccess} and import no rules. */
@Global()
@Module({
  imports: [ManagedAgentsModule, LimitsModule],
  providers: [
    CallerRoles,
    KnownSessions,
    SealedCursor,
    ...POLICY_CLASSES,
    together(POLICIES, POLICY_CLASSES),
    together(ALLOWLISTS, ALLOWLIST_CLASSES),
    together(SESSION_RULES, [...ALLOWLIST_CLASSES, OwnershipPolicy]),
    GuardrailsGuard,
    { provide: APP_GUARD, useExisting: GuardrailsGuard },
    { provide: ToolAccess, useExisting: GuardrailsGuard },
    { provide: ResourceAccess, useClass: CallerAccess },
  ],
  exports: [ToolAccess, ResourceAccess, LimitsModule],
})
export class GuardrailsModule {}
