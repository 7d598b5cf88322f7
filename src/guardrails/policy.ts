import { type Principal } from '../context/principal.js';
import { HUMAN_APPROVAL_RULE } from '../mcp/approval/human-approval.js';
import { type AccessRequest } from '../mcp/access.js';
import { type ToolDefinition } from '../mcp/tool.decorator.js';

/** What a policy decides about. The arguments have been validated. */
export type PolicyRequest = AccessRequest;

/**
 * Every rule that can refuse a call. The names are stable: audit records and metrics carry them. The last two are not
 * policies of this module: `src/mcp` refuses by them, after the guard and before it.
 */
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
  HUMAN_APPROVAL_RULE,
  'shutting_down',
] as const;
export type RuleName = (typeof RULES)[number];

/** Why a policy refuses a call. */
export interface Refusal {
  readonly rule: RuleName;
  /** For the model, in two or three sentences: what happened, what is allowed, and what to do next. */
  readonly message: string;
}

/**
 * A policy without state. Policies are asked in order; the first refusal wins. They read and count nothing, so they can
 * also be asked about a call that is not made: whether the caller is allowed to do what another tool does.
 */
export interface Policy {
  refusal(request: PolicyRequest): Refusal | undefined;
  /** Whether the tool is hidden from lists altogether. Hidden tools are refused as well. */
  hides?(tool: ToolDefinition, principal: Principal): boolean;
}

/** A policy that counts the call or reads from the API. Asked once for each call, after every {@link Policy}. */
export interface StatefulPolicy {
  refusal(request: PolicyRequest): Promise<Refusal | undefined>;
}
