import { Injectable } from '@nestjs/common';
import { GuardrailsSettings } from '../../config/guardrails.settings.js';
import { type Principal } from '../../context/principal.js';
import { CallerRoles } from '../caller-roles.js';
import { ownerTag } from '../owner.js';
import { type SessionFacts } from './session-facts.js';
import { type SessionRule } from './session-rule.js';

/** While sessions are isolated, a caller reaches those it started, and admins reach all. One without an owner is theirs. */
@Injectable()
export class OwnershipRule implements SessionRule {
  readonly rule = 'session_isolation';
  private readonly active: boolean;

  constructor(
    settings: GuardrailsSettings,
    private readonly roles: CallerRoles,
  ) {
    this.active = settings.sessionIsolation === 'owner';
  }

  concerns(principal: Principal): boolean {
    return this.active && !this.roles.isAdmin(principal);
  }

  admits({ owner }: SessionFacts, principal: Principal): boolean {
    return owner === ownerTag(principal);
  }
}
