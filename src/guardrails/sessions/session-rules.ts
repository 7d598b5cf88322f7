import { type Principal } from '../../context/principal.js';
import { rosterOf } from '../../managed-agents/roster.js';
import { type Session } from '../../managed-agents/sessions.service.js';
import { OWNER_KEY } from '../owner.js';
import { type RuleName } from '../../mcp/errors/tool-error.js';

/** A rule that depends on the properties of a session. */
export interface SessionRule {
  /** Name of the rule, for the audit. */
  readonly rule: RuleName;
  /** Whether the rule restricts this caller. When no rule does, no session is read. */
  appliesTo(principal: Principal): boolean;
  /** Whether the caller may reach the session. */
  allows(facts: SessionFacts, principal: Principal): boolean;
}

/** The rules about sessions, in the order in which they are asked. */
export const SESSION_RULES = Symbol('session rules');

/**
 * What rules need to know about a session. None of it changes while the session exists: the API cannot change the agent,
 * environment, vaults and memory stores (it rejects `vault_ids` in an update), and callers cannot write the owner.
 */
export interface SessionFacts {
  readonly agent: readonly string[];
  /** The agents to which the session's agent may delegate. */
  readonly roster: readonly string[];
  readonly environment: readonly string[];
  readonly vault: readonly string[];
  readonly memory_store: readonly string[];
  /** Absent for sessions that were not started through this server while sessions were isolated. */
  readonly owner?: string;
}

export function factsOf({ agent, environment_id, vault_ids, resources, metadata }: Session): SessionFacts {
  return {
    agent: [agent.id],
    roster: rosterOf(agent),
    environment: [environment_id],
    // The API often omits optional keys, although the SDK's type has them.
    vault: vault_ids ?? [],
    memory_store: (resources ?? []).flatMap((resource) =>
      resource.type === 'memory_store' ? [resource.memory_store_id] : [],
    ),
    owner: metadata?.[OWNER_KEY],
  };
}
