import { type Principal } from '../auth/principal.js';
import {
  collectUpstreamRequests,
  currentUpstreamRequests,
  type UpstreamRequests,
} from '../managed-agents/upstream-requests.js';

/** How a tool call ended: done, stopped by a guardrail, bad arguments, no such tool, or a failure. */
export type ToolCallOutcome = 'ok' | 'refused' | 'invalid' | 'unknown_tool' | 'failed';

/** One tool call on its way through the server; what the audit records. */
export interface ToolCall extends UpstreamRequests {
  readonly tool: string;
  readonly principal: Principal;
  readonly arguments: Readonly<Record<string, unknown>>;
  outcome: ToolCallOutcome;
  /** The rule that refused, or the kind of failure. Never text a caller or an agent wrote. */
  reason?: string;
  /** Set when the call creates the session rather than naming it. */
  createdSessionId?: string;
}

/**
 * Runs `work` as this call. A call collects its own upstream requests, so one asynchronous store carries both: each
 * store costs something at every await.
 */
export function runToolCall<T>(call: ToolCall, work: () => T): T {
  return collectUpstreamRequests(call, work);
}

/** The tool call this code runs for; undefined outside of one. */
export function currentToolCall(): ToolCall | undefined {
  // Nothing else in the server collects upstream requests.
  return currentUpstreamRequests() as ToolCall | undefined;
}
