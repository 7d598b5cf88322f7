import { type CatalogKind } from '../../src/mcp/resource-arguments.js';
import { ROLE_TABLE, TOOL_TABLE } from './tool-table.js';

/** What an operator has set. A list that is undefined is not in force. */
export interface Rules {
  readonly readOnly: boolean;
  readonly allowDestructive: boolean;
  readonly roles: boolean;
  readonly isolation: boolean;
  readonly lists: Readonly<Record<CatalogKind, readonly string[] | undefined>>;
}

export interface Caller {
  readonly name: string;
  readonly roles: readonly string[];
  readonly readOnly: boolean;
}

/** Ids of things, by kind. */
export type Parts = Readonly<Record<CatalogKind, readonly string[]>>;

export interface Case {
  readonly rules: Rules;
  readonly caller: Caller;
  readonly tool: string;
  /** What the call names, as far as the tool takes it, and what the session it names was put together from. */
  readonly parts: Parts;
  /** Who started the session; undefined when nobody knows, null when there is no such session. */
  readonly owner: string | undefined | null;
}

const KINDS: readonly CatalogKind[] = ['agent', 'environment', 'vault', 'memory_store'];

/** The whole policy in a few lines: the rule that refuses, or undefined. */
export function expected(one: Case): string | undefined {
  return byTier(one) ?? byRole(one) ?? byLists(one) ?? byOwner(one);
}

function byTier({ rules, caller, tool }: Case): string | undefined {
  const { tier } = TOOL_TABLE[tool]!;
  const isReading = tier === 'discover' || tier === 'observe';
  if (!isReading && (rules.readOnly || caller.readOnly)) return 'read_only';
  return tier === 'destructive' && !rules.allowDestructive ? 'destructive' : undefined;
}

function byRole({ rules, caller, tool }: Case): string | undefined {
  const isHeld = caller.roles.some((role) => ROLE_TABLE[role]!.includes(TOOL_TABLE[tool]!.tier));
  return rules.roles && !isHeld ? 'role' : undefined;
}

function byLists({ rules, tool, parts, owner }: Case): string | undefined {
  const { names } = TOOL_TABLE[tool]!;
  const isSession = names.includes('session');
  for (const kind of KINDS) {
    const list = rules.lists[kind];
    if (!list || !(isSession || names.includes(kind))) continue;
    if (isSession && owner === null) return 'unknown_session';
    if (!parts[kind].every((id) => list.includes(id))) return `${kind}_allowlist`;
  }
  return undefined;
}

function byOwner({ rules, caller, tool, owner }: Case): string | undefined {
  const isAdmin = rules.roles && caller.roles.includes('admin');
  if (!rules.isolation || isAdmin || !TOOL_TABLE[tool]!.names.includes('session')) return undefined;
  if (owner === null) return 'unknown_session';
  return owner === caller.name ? undefined : 'session_isolation';
}
