import { type Principal } from '../../auth/principal.js';
import { idsNamed } from '../../mcp/resource-arguments.js';
import { type PolicyRequest, type Refusal, type RuleName } from '../policy.js';
import { type KnownSessions } from './known-sessions.js';
import { type SessionFacts } from './session-facts.js';

/** A rule that depends on what a session is. */
export interface SessionRule {
  /** Name of the rule, for the audit. */
  readonly rule: RuleName;
  /** Whether the rule has to know the sessions this caller names; no session is read for one that has not. */
  concerns(principal: Principal): boolean;
  admits(facts: SessionFacts, principal: Principal): boolean;
}

/**
 * What callers hear of every session that is not for them and of every id that is none. The words have to be the same:
 * a difference would tell which ids exist. Only the audit knows the rule.
 */
const NO_SUCH_SESSION =
  'Not found: there is no such session for you. Check the id with session_list; the session may also have been deleted, or belong to somebody else.';

/** Judges every session that a call names by one rule. */
export async function sessionRefusal(
  rule: SessionRule,
  { principal, arguments: args }: PolicyRequest,
  known: KnownSessions,
): Promise<Refusal | undefined> {
  for (const id of idsNamed('session', args)) {
    const facts = await known.find(id);
    if (!facts) return { rule: 'unknown_session', message: NO_SUCH_SESSION };
    if (!rule.admits(facts, principal)) return { rule: rule.rule, message: NO_SUCH_SESSION };
  }
  return undefined;
}
