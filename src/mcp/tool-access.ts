import { type ToolCall } from '../context/call.js';
import { type Principal } from '../context/principal.js';
import { type RefusalError } from './errors/tool-error.js';
import { type ToolDefinition } from './tool-definition.js';

/** Which tools a principal sees, and may call. Guardrails implement it; hiding alone never protects, they refuse too. */
export abstract class ToolAccess {
  abstract visible(tool: ToolDefinition, principal: Principal): boolean;
  /** Why such a call would be refused, by every rule that reads and counts nothing; undefined when none refuses it. */
  abstract refusal(call: AccessRequest): RefusalError | undefined;
}

/** Who wants to call which tool with which arguments. */
export interface AccessRequest {
  readonly tool: ToolDefinition;
  readonly principal: Principal;
  readonly arguments: Readonly<Record<string, unknown>>;
}

/** Told about every tool call, when it begins and when it has ended, however it ended. Observers change nothing. */
export abstract class ToolCallObserver {
  began?(call: ToolCall): void;
  abstract ended(call: EndedToolCall): void;
}

/** All who observe, for injection. The composition root says who they are. */
export const TOOL_CALL_OBSERVERS = Symbol('tool call observers');

/** Whether what is recorded of calls arrives where it should. The audit implements it. */
export abstract class AuditReadiness {
  abstract readonly ready: boolean;
}

export interface EndedToolCall {
  readonly call: ToolCall;
  readonly durationMs: number;
}
