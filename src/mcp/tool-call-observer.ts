import { type ToolCall } from '../context/call.js';

/*
 * What src/mcp expects of the modules that record calls. The audit and the metrics implement it.
 */

/** Is called when a tool call begins and when it has ended, however it ended. Observers change nothing. */
export abstract class ToolCallObserver {
  began?(call: ToolCall): void;
  abstract ended(call: EndedToolCall): void;
}

export interface EndedToolCall {
  readonly call: ToolCall;
  readonly durationMs: number;
}

/** The observers of the server, for injection; app.module.ts lists them. */
export const TOOL_CALL_OBSERVERS = Symbol('tool call observers');

/** Whether the records of calls can be delivered. Implemented by the audit, asked by a guardrail. */
export abstract class AuditReadiness {
  abstract readonly ready: boolean;
}
