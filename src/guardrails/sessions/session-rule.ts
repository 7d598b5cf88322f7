import { type Principal } from '../../context/principal.js';
import { type RuleName } from '../policy.js';
import { type SessionFacts } from './session-facts.js';

/** The rules about sessions, in the order in which they are asked. */
export const SESSION_RULES = Symbol('session rules');

/** A rule that depends on what a session is. */
export interface SessionRule {
  /** Name of the rule, for the audit. */
  readonly rule: RuleName;
  /** Whether the rule has to know the sessions this caller names; no session is read for one that has not. */
  concerns(principal: Principal): boolean;
  admits(facts: SessionFacts, principal: Principal): boolean;
}
