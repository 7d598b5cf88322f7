import { type Principal } from '../auth/principal.js';
import { type ToolDefinition } from '../mcp/tool-definition.js';

/** What a policy decides about: who wants to call which tool with which (already valid) arguments. */
export interface PolicyRequest {
  readonly tool: ToolDefinition;
  readonly principal: Principal;
  readonly arguments: Readonly<Record<string, unknown>>;
}

/** Every rule that can refuse a call. The names are stable: audit records and metrics carry them. */
export const RULES = [
  'read_only',
  'destructive',
  'role',
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

/** One rule. Policies are asked in order; the first refusal wins. */
export interface Policy {
  /** A promise where judging takes a look at something that has to be read. */
  refusal(request: PolicyRequest): Refusal | undefined | Promise<Refusal | undefined>;
  /** Whether the tool is hidden from lists altogether. Hidden tools are refused as well. */
  hides?(tool: ToolDefinition, principal: Principal): boolean;
}
