import { isJsonObject } from '../common/json.js';

/** Stands for members that cannot be told: a roster of a kind that is not known. It is the id of no agent. */
export const UNKNOWN_MEMBERS = '(unknown)';

/**
 * The ids of the agents that an agent may delegate to, without itself. Both shapes of the API are read, of an agent (references)
 * and of a session (resolved agents): `coordinator` with `agents`, and `multiagent_20261001` with
 * `subagents.predefined_agents`. Advisors are models, and inline agents are made by the agent itself; neither has an id.
 */
export function rosterOf({ id, multiagent }: { readonly id: string; readonly multiagent?: unknown }): string[] {
  if (multiagent === undefined || multiagent === null) return [];
  if (!isJsonObject(multiagent)) return [UNKNOWN_MEMBERS];
  switch (multiagent.type) {
    case 'coordinator':
      return membersOf(multiagent.agents, id);
    case 'multiagent_20261001': {
      const { subagents } = multiagent;
      return isJsonObject(subagents) ? membersOf(subagents.predefined_agents, id) : [];
    }
    default:
      return [UNKNOWN_MEMBERS];
  }
}

function membersOf(entries: unknown, self: string): string[] {
  if (entries === undefined || entries === null) return [];
  if (!Array.isArray(entries)) return [UNKNOWN_MEMBERS];
  return entries.flatMap((entry: unknown) => {
    if (typeof entry === 'string') return [entry];
    if (!isJsonObject(entry)) return [UNKNOWN_MEMBERS];
    if (typeof entry.id === 'string') return entry.id === self ? [] : [entry.id];
    return entry.type === 'self' || entry.type === 'advisor' ? [] : [UNKNOWN_MEMBERS];
  });
}
