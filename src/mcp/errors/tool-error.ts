import { ExpectedError } from '../../context/expected-error.js';

/** A failure the model can do something about. The message is for the model: what is wrong and what to call next. */
export class ToolError extends ExpectedError {
  readonly outcome = 'failed';

  constructor(
    message: string,
    /** Short stable name for the audit. */
    readonly reason: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'ToolError';
  }
}

/**
 * Every rule that can refuse a call. The names are stable: audit records and metrics carry them. Most are policies of
 * `src/guardrails`; `src/mcp` itself refuses by the last two, after the policies and before them.
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
  'human_approval',
  'shutting_down',
] as const;
export type RuleName = (typeof RULES)[number];

/** A call stopped by a rule of the operator. The message is for the model: what is not allowed, what to do instead. */
export class RefusalError extends ExpectedError {
  readonly outcome = 'refused';

  constructor(
    readonly reason: RuleName,
    message: string,
  ) {
    super(message);
    this.name = 'RefusalError';
  }
}
