import { Injectable } from '@nestjs/common';
import { type Principal } from '../../auth/principal.js';
import { GuardrailsSettings } from '../../config/guardrails.settings.js';
import { CallerRoles } from '../caller-roles.js';
import { ownerTag } from '../owner.js';
import { type Policy, type PolicyRequest, type Refusal } from '../policy.js';
import { KnownSessions } from '../sessions/known-sessions.js';
import { type SessionFacts } from '../sessions/session-facts.js';
import { sessionRefusal, type SessionRule } from '../sessions/session-rule.js';

/** While sessions are isolated, a caller reaches those it started, and admins reach all. One without an owner is theirs. */
@Injectable()
export class OwnershipPolicy implements Policy, SessionRule {
  readonly rule = 'session_isolation';
  private readonly active: boolean;

  constructor(
    settings: GuardrailsSettings,
    private readonly roles: CallerRoles,
    private readonly known: KnownSessions,
  ) {
    this.active = settings.sessionIsolation === 'owner';
  }

  concerns(principal: Principal): boolean {
    return this.active && !this.roles.isAdmin(principal);
  }

  admits({ owner }: SessionFacts, principal: Principal): boolean {
    return owner === ownerTag(principal);
  }

  refusal(request: PolicyRequest): Refusal | undefined | Promise<Refusal | undefined> {
    return this.concerns(request.principal) ? sessionRefusal(this, request, this.known) : undefined;
  }
}
