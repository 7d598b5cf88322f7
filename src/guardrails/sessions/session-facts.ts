import { type Session } from '../../managed-agents/sessions.service.js';
import { OWNER_KEY } from '../owner.js';

/**
 * What rules ask about a session. None of it changes while the session exists: the API has no way to change agent,
 * environment, vaults and memory stores (`vault_ids` of its update is rejected), and callers cannot touch the owner.
 */
export interface SessionFacts {
  readonly agent: readonly string[];
  readonly environment: readonly string[];
  readonly vault: readonly string[];
  readonly memory_store: readonly string[];
  /** Absent for sessions that were not started through this server while sessions were isolated. */
  readonly owner?: string;
}

export function factsOf({ agent, environment_id, vault_ids, resources, metadata }: Session): SessionFacts {
  return {
    agent: [agent.id],
    environment: [environment_id],
    // Optional keys are usually absent on the wire, whatever the type says.
    vault: vault_ids ?? [],
    memory_store: (resources ?? []).flatMap((resource) =>
      resource.type === 'memory_store' ? [resource.memory_store_id] : [],
    ),
    owner: metadata?.[OWNER_KEY],
  };
}
