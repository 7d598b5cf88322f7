import { Global, Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { ManagedAgentsModule } from '../managed-agents/managed-agents.module.js';
import { ResourceAccess } from '../mcp/resource-access.js';
import { ToolAccess } from '../mcp/tool-access.js';
import { ALLOWLISTS, CallerAccess } from './caller-access.js';
import { CallerRoles } from './caller-roles.js';
import { COSTLY_POLICIES, GuardrailsGuard, POLICIES } from './guardrails.guard.js';
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
import { ReservedMetadataPolicy } from './policies/reserved-metadata.policy.js';
import { RolePolicy } from './policies/role.policy.js';
import { ScopePolicy } from './policies/scope.policy.js';
import { SessionPolicy } from './policies/session.policy.js';
import { TierPolicy } from './policies/tier.policy.js';
import { VaultAllowlistPolicy } from './policies/vault-allowlist.policy.js';
import { KnownSessions } from './sessions/known-sessions.js';
import { OwnershipRule } from './sessions/ownership.rule.js';
import { SESSION_RULES } from './sessions/session-rule.js';

const ALLOWLIST_CLASSES = [
  AgentAllowlistPolicy,
  EnvironmentAllowlistPolicy,
  VaultAllowlistPolicy,
  MemoryStoreAllowlistPolicy,
];

/** In the order in which they are asked. */
const POLICY_CLASSES = [
  TierPolicy,
  RolePolicy,
  ScopePolicy,
  ...ALLOWLIST_CLASSES,
  ReservedMetadataPolicy,
  AuditRequiredPolicy,
  BudgetPolicy,
];

/**
 * Asked after those, so that what another rule refuses takes nothing of an allowance. The look at a session is an
 * exception: calls are counted before it, or guesses at ids would be reads of the API without a limit.
 */
const COSTLY_POLICY_CLASSES = [CallRatePolicy, SessionPolicy, RunningSessionsPolicy, StartRatePolicy];

const SESSION_RULE_CLASSES = [...ALLOWLIST_CLASSES, OwnershipRule];

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
    OwnershipRule,
    ...POLICY_CLASSES,
    ...COSTLY_POLICY_CLASSES,
    together(POLICIES, POLICY_CLASSES),
    together(COSTLY_POLICIES, COSTLY_POLICY_CLASSES),
    together(ALLOWLISTS, ALLOWLIST_CLASSES),
    together(SESSION_RULES, SESSION_RULE_CLASSES),
    GuardrailsGuard,
    { provide: APP_GUARD, useExisting: GuardrailsGuard },
    { provide: ToolAccess, useExisting: GuardrailsGuard },
    { provide: ResourceAccess, useClass: CallerAccess },
  ],
  exports: [ToolAccess, ResourceAccess, LimitsModule],
})
export class GuardrailsModule {}
