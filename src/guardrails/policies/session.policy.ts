import { Inject, Injectable } from '@nestjs/common';
import { idsNamed } from '../../mcp/resource-arguments.js';
import { type CostlyPolicy, type PolicyRequest, type Refusal } from '../policy.js';
import { KnownSessions } from '../sessions/known-sessions.js';
import { SESSION_RULES, type SessionRule } from '../sessions/session-rule.js';

/**
 * What callers hear of every session that is not for them and of every id that is none. The words have to be the same:
 * a difference would tell which ids exist. Only the audit knows the rule.
 */
const NO_SUCH_SESSION =
  'Not found: there is no such session for you. Check the id with session_list; the session may also have been deleted, or belong to somebody else.';

/** A session that a call names has to be one that every rule about sessions admits. */
@Injectable()
export class SessionPolicy implements CostlyPolicy {
  constructor(
    @Inject(SESSION_RULES) private readonly rules: readonly SessionRule[],
    private readonly known: KnownSessions,
  ) {}

  async refusal({ principal, arguments: args }: PolicyRequest): Promise<Refusal | undefined> {
    const rules = this.rules.filter((rule) => rule.concerns(principal));
    if (rules.length === 0) return undefined;
    for (const id of idsNamed('session', args)) {
      const facts = await this.known.find(id);
      if (!facts) return { rule: 'unknown_session', message: NO_SUCH_SESSION };
      const violated = rules.find((rule) => !rule.admits(facts, principal));
      if (violated) return { rule: violated.rule, message: NO_SUCH_SESSION };
    }
    return undefined;
  }
}
