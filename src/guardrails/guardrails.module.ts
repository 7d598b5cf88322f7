import { Global, Module, type Type } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { GuardrailsSettings } from '../config/guardrails.settings.js';
import { ManagedAgentsModule } from '../managed-agents/managed-agents.module.js';
import { ResourceAccess, ToolAccess } from '../mcp/access.js';
import { ALLOWLISTS, CallerAccess } from './caller-access.js';
import { CallerRoles } from './caller-roles.js';
import { GuardrailsGuard, POLICIES, STATEFUL_POLICIES } from './guardrails.guard.js';
import { BudgetPolicy } from './limits/budget.policy.js';
import { LimitsModule } from './limits/limits.module.js';
import { CallRatePolicy, StartRatePolicy } from './limits/rate.policies.js';
import { RunningSessionsPolicy } from './limits/running-sessions.policy.js';
import { TokensModule } from '../tokens/tokens.module.js';
import { AllowlistPolicy } from './policies/allowlists.js';
import { ReservedMetadataPolicy } from './policies/reserved-metadata.policy.js';
import { AuditRequiredPolicy, RolePolicy, ScopePolicy, TierPolicy } from './policies/tool.policies.js';
import { KnownSessions } from './sessions/known-sessions.js';
import { OwnershipRule, SessionPolicy } from './sessions/session.policy.js';
import { RosterPolicy } from './policies/roster.policy.js';
import { SESSION_RULES } from './sessions/session-rules.js';

type Provided = symbol | Type<object>;

/** In the order in which they are asked. */
const POLICY_ORDER: Provided[] = [
  TierPolicy,
  RolePolicy,
  ScopePolicy,
  ALLOWLISTS,
  ReservedMetadataPolicy,
  AuditRequiredPolicy,
  BudgetPolicy,
];

/**
 * Asked after those, so that a call that another rule refuses uses up no allowance. Calls are counted before the session
 * is read: otherwise guesses at ids would be reads of the API without a limit.
 */
const STATEFUL_POLICY_ORDER: Provided[] = [
  CallRatePolicy,
  SessionPolicy,
  RosterPolicy,
  RunningSessionsPolicy,
  StartRatePolicy,
];

const classesOf = (order: Provided[]): Type<object>[] => order.filter((provided) => typeof provided !== 'symbol');

/** Provides these instances, and those in these lists, as one list. */
const asList = (provide: symbol, inject: Provided[]) => ({
  provide,
  inject,
  useFactory: (...instances: (object | object[])[]) => instances.flat(),
});

/** What callers may do with the operator's key. Global: tool modules ask {@link ResourceAccess} and import no rules. */
@Global()
@Module({
  imports: [ManagedAgentsModule, LimitsModule, TokensModule],
  providers: [
    CallerRoles,
    KnownSessions,
    OwnershipRule,
    ...classesOf([...POLICY_ORDER, ...STATEFUL_POLICY_ORDER]),
    {
      provide: ALLOWLISTS,
      inject: [GuardrailsSettings],
      useFactory: (settings: GuardrailsSettings) => AllowlistPolicy.all(settings),
    },
    asList(POLICIES, POLICY_ORDER),
    asList(STATEFUL_POLICIES, STATEFUL_POLICY_ORDER),
    asList(SESSION_RULES, [ALLOWLISTS, OwnershipRule]),
    GuardrailsGuard,
    { provide: APP_GUARD, useExisting: GuardrailsGuard },
    { provide: ToolAccess, useExisting: GuardrailsGuard },
    { provide: ResourceAccess, useClass: CallerAccess },
  ],
  exports: [ToolAccess, ResourceAccess, LimitsModule],
})
export class GuardrailsModule {}
