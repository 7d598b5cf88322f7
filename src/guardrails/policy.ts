import { type Principal } from '../context/principal.js';
import { type AccessRequest } from '../mcp/tool-access.js';
import { type ToolDefinition } from '../mcp/tool-definition.js';

/** What a policy decides about. The arguments are valid already. */
export type PolicyRequest = AccessRequest;

/** Every rule that can refuse a call. The names are stable: audit records and metrics carry them. */
export const RULES = [
  'read_only',
  'destructive',
  'role',
  'scope',
  'agent_allowlist',
  'environment_allowlist',
  'vault_allowlist',
  'memory_store_allowlist',
  'session_isolation',
  'unknown_session',
  'reserved_metadata',
  'audit_required',
  'budget_ceiling',
  'rate_limit',
  'running_sessions',
  'starts_per_hour',
  'limit_store',
] as const;
export type RuleName = (typeof RULES)[number];

/** A policy's no. */
export interface Refusal {
  readonly rule: RuleName;
  /** One sentence or two for the model: what is not allowed, and what to do instead. */
  readonly message: string;
}

/**
 * One rule. Policies are asked in order; the first refusal wins. They read and count nothing, so they can also be asked
 * about a call that is not made: whether the caller might do what another tool does.
 */
export interface Policy {
  refusal(request: PolicyRequest): Refusal | undefined;
  /** Whether the tool is hidden from lists altogether. Hidden tools are refused as well. */
  hides?(tool: ToolDefinition, principal: Principal): boolean;
}

/** A rule that takes of an allowance or looks at what has to be read. Asked once for each call, after every {@link Policy}. */
export interface CostlyPolicy {
  refusal(request: PolicyRequest): Promise<Refusal | undefined>;
}
