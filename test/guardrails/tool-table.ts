import { allTools } from '../../docs/generate/tools.js';
import { type CatalogKind } from '../../src/mcp/resource-arguments.js';
import { type Tier } from '../../src/config/tiers.js';

/**
 * Which argument names which kind of resource, written down once more and independently of src/mcp/resource-arguments.ts.
 * Tools take their place in the table below by their arguments.
 */
const NAMING: Readonly<Record<string, CatalogKind | 'session'>> = {
  agent_id: 'agent',
  environment_id: 'environment',
  vault_id: 'vault',
  vault_ids: 'vault',
  memory_store_id: 'memory_store',
  memory_store_ids: 'memory_store',
  session_id: 'session',
};

/** What the guardrails have to know about a tool. */
export interface ToolRow {
  readonly tier: Tier;
  /** The arguments by which a call of it names resources. */
  readonly arguments: Readonly<Record<string, CatalogKind | 'session'>>;
  /** The kinds of resources a call of it names. */
  readonly names: readonly (CatalogKind | 'session')[];
}

/** By name, in the order in which clients see them. That a tool keeps its tier is tested by its snapshot. */
export const TOOL_TABLE: Readonly<Record<string, ToolRow>> = Object.fromEntries(
  allTools().map(({ name, tier, input }) => {
    const taken = Object.keys((input.jsonSchema as { properties?: object }).properties ?? {});
    const naming = Object.fromEntries(Object.entries(NAMING).filter(([argument]) => taken.includes(argument)));
    return [name, { tier, arguments: naming, names: [...new Set(Object.values(naming))] }];
  }),
);

export const TOOL_NAMES = Object.keys(TOOL_TABLE);

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
