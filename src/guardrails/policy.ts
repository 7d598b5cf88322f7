import { type Principal } from '../auth/principal.js';
import { type ToolDefinition } from '../mcp/tool-definition.js';

/** What a policy decides about: who wants to call which tool with which (already valid) arguments. */
export interface PolicyRequest {
  readonly tool: ToolDefinition;
  readonly principal: Principal;
  readonly arguments: Readonly<Record<string, unknown>>;
}

/** A policy's no. */
export interface Refusal {
  /** Stable name of the rule, for the audit. */
  readonly rule: string;
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
