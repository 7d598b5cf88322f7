import { Inject, Injectable } from '@nestjs/common';
import { type Principal } from '../../context/principal.js';
import { GuardrailsSettings } from '../../config/guardrails.settings.js';
import { idsNamed } from '../../mcp/resource-arguments.js';
import { CallerRoles } from '../caller-roles.js';
import { ownerTag } from '../owner.js';
import { type PolicyRequest, type Refusal, type StatefulPolicy } from '../policy.js';
import { KnownSessions } from './known-sessions.js';
import { SESSION_RULES, type SessionFacts, type SessionRule } from './session-rules.js';

/**
 * The same text for every session that the caller may not reach and for every id that does not exist: a different one
 * would reveal which ids exist. Only the audit records which rule refused.
 */
const SESSION_NOT_FOUND =
  'Session not found or not accessible. Check the id with session_list; the session may have been deleted, or it may belong to another caller.';

/** Every session that a call names must be one that all session rules allow. */
@Injectable()
export class SessionPolicy implements StatefulPolicy {
  constructor(
    @Inject(SESSION_RULES) private readonly rules: readonly SessionRule[],
    private readonly known: KnownSessions,
  ) {}

  async refusal({ principal, arguments: args }: PolicyRequest): Promise<Refusal | undefined> {
    const rules = this.rules.filter((rule) => rule.appliesTo(principal));
    if (rules.length === 0) return undefined;
    for (const id of idsNamed('session', args)) {
      const facts = await this.known.find(id);
      if (!facts) return { rule: 'unknown_session', message: SESSION_NOT_FOUND };
      const violated = rules.find((rule) => !rule.allows(facts, principal));
      if (violated) return { rule: violated.rule, message: SESSION_NOT_FOUND };
    }
    return undefined;
  }
}

/**
 * While sessions are isolated, callers reach the sessions they started, and admins reach all. A session without an owner
 * is reachable by admins only.
 */
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

  appliesTo(principal: Principal): boolean {
    return this.active && !this.roles.isAdmin(principal);
  }

  allows({ owner }: SessionFacts, principal: Principal): boolean {
    return owner === ownerTag(principal);
  }
}
