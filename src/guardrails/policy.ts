import { type Principal } from '../context/principal.js';
import { type AccessRequest } from '../mcp/access.js';
import { type RuleName } from '../mcp/errors/tool-error.js';
import { type ToolDefinition } from '../mcp/tool.decorator.js';

/** What a policy decides about. The arguments have been validated. */
export type PolicyRequest = AccessRequest;

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
