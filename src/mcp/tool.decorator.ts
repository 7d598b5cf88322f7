import { applyDecorators, SetMetadata, UseInterceptors } from '@nestjs/common';
import { Tool } from '@rekog/mcp-nest';
import { type z } from 'zod';
import { type Tier } from '../config/tiers.js';
import { ToolResultInterceptor } from './result/tool-result.interceptor.js';
import { type ToolInput } from './tool-input.js';

/** Hints of the MCP specification; all four are always stated. */
export interface ToolHints {
  readonly readOnlyHint: boolean;
  readonly destructiveHint: boolean;
  readonly idempotentHint: boolean;
  readonly openWorldHint: boolean;
}

/** A tool as data: lists, guardrails, docs, tests, snapshots and the audit all read this. */
export interface ToolDefinition {
  readonly name: string;
  readonly title: string;
  readonly tier: Tier;
  /** For the model: what the tool does and what to call next. */
  readonly description: string;
  readonly input: ToolInput;
  /** What the tool answers; only where the answer is flat and always the same. Other tools declare none. */
  readonly output?: z.ZodObject;
  readonly hints: ToolHints;
  /** Whether clients that know the mark should have the user confirm each call, whatever was allowed before. */
  readonly requiresUserInteraction?: boolean;
  /** Whether calls may last as long as `MCP_WAIT_MAX_SECONDS` allows. */
  readonly waits?: boolean;
}

const READING: ToolHints = { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: true };
const ACTING: ToolHints = { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: true };
const ENDING: ToolHints = { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: true };

/** The hints a tier implies; a tool may state others where it differs. */
const TIER_HINTS: Readonly<Record<Tier, ToolHints>> = {
  discover: READING,
  observe: READING,
  start: ACTING,
  interact: ACTING,
  approve: ACTING,
  destructive: ENDING,
};

const TOOL_DEFINITION = Symbol('definition of an MCP tool');

export interface McpToolOptions extends Omit<ToolDefinition, 'hints'> {
  /** Only the hints in which this tool differs from its tier. */
  readonly hints?: Partial<ToolHints>;
}

/** Declares a controller method as an MCP tool. The only way to do so: a tool declared otherwise stops the start. */
export function McpTool({ hints, ...options }: McpToolOptions): MethodDecorator {
  const definition: ToolDefinition = { ...options, hints: { ...TIER_HINTS[options.tier], ...hints } };
  // A misspelled budget must not start a session without one; a tool that only reads can do without what it does not know.
  const parameters = definition.input.accepting(definition.hints.readOnlyHint ? 'ignored' : 'refused');
  return applyDecorators(
    SetMetadata(TOOL_DEFINITION, definition),
    // Here rather than globally: a global one would wrap every HTTP request for nothing.
    UseInterceptors(ToolResultInterceptor),
    Tool({ name: definition.name, description: definition.description, parameters }),
  );
}

/** The definition a controller method was declared with. */
export function toolDefinitionOf(method: object): ToolDefinition | undefined {
  return Reflect.getMetadata(TOOL_DEFINITION, method) as ToolDefinition | undefined;
}
