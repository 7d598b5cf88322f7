import { allTools } from '../../docs/generate/tools.js';
import { type CatalogKind } from '../../src/mcp/resource-arguments.js';
import { type Tier } from '../../src/config/tiers.js';

/** What the rules have to know about each tool, written down once more and independently of the definitions. */
export interface ToolRow {
  readonly tier: Tier;
  /** Things a call of it names. */
  readonly names: readonly (CatalogKind | 'session')[];
}

export const TOOL_TABLE: Readonly<Record<string, ToolRow>> = {
  agent_list: { tier: 'discover', names: [] },
  agent_get: { tier: 'discover', names: ['agent'] },
  environment_list: { tier: 'discover', names: [] },
  environment_get: { tier: 'discover', names: ['environment'] },
  vault_list: { tier: 'discover', names: [] },
  vault_get: { tier: 'discover', names: ['vault'] },
  memory_store_list: { tier: 'discover', names: [] },
  memory_store_get: { tier: 'discover', names: ['memory_store'] },
  session_start: { tier: 'start', names: ['agent', 'environment', 'vault', 'memory_store'] },
  session_get: { tier: 'observe', names: ['session'] },
  session_list: { tier: 'observe', names: ['agent'] },
  session_events: { tier: 'observe', names: ['session'] },
  session_wait: { tier: 'observe', names: ['session'] },
  session_message: { tier: 'interact', names: ['session'] },
  session_interrupt: { tier: 'interact', names: ['session'] },
  session_update: { tier: 'interact', names: ['session'] },
  session_respond: { tier: 'approve', names: ['session'] },
  approval_list: { tier: 'observe', names: ['agent'] },
  session_archive: { tier: 'destructive', names: ['session'] },
  session_delete: { tier: 'destructive', names: ['session'] },
};

/** The tools of the table that the server has, in the order in which clients see them. */
export const TOOL_NAMES = allTools()
  .map(({ name }) => name)
  .filter((name) => name in TOOL_TABLE);

const ALL: readonly Tier[] = ['discover', 'observe', 'start', 'interact', 'approve', 'destructive'];

export const ROLE_TABLE: Readonly<Record<string, readonly Tier[]>> = {
  viewer: ['discover', 'observe'],
  operator: ['discover', 'observe', 'start', 'interact'],
  approver: ['discover', 'observe', 'approve'],
  admin: ALL,
};

/** The tools that somebody with these roles has, and nobody else. */
export function toolsOf(...roles: string[]): string[] {
  return TOOL_NAMES.filter((name) => roles.some((role) => ROLE_TABLE[role]!.includes(TOOL_TABLE[name]!.tier)));
}
