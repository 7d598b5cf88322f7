import { applyDecorators, SetMetadata, UseInterceptors } from '@nestjs/common';
import { Tool } from '@rekog/mcp-nest';
import { ToolResultInterceptor } from './result/tool-result.interceptor.js';
import { TIER_HINTS, type ToolDefinition, type ToolHints } from './tool-definition.js';

const TOOL_DEFINITION = Symbol('definition of an MCP tool');

export interface McpToolOptions extends Omit<ToolDefinition, 'hints'> {
  /** Only the hints in which this tool differs from its tier. */
  readonly hints?: Partial<ToolHints>;
}

/** Declares a controller method as an MCP tool. The one way to do so: a tool declared otherwise stops the start. */
export function McpTool({ hints, ...options }: McpToolOptions): MethodDecorator {
  const definition: ToolDefinition = { ...options, hints: { ...TIER_HINTS[options.tier], ...hints } };
  return applyDecorators(
    SetMetadata(TOOL_DEFINITION, definition),
    // Here rather than globally: a global one would wrap every HTTP request for nothing.
    UseInterceptors(ToolResultInterceptor),
    Tool({ name: definition.name, description: definition.description, parameters: definition.input }),
  );
}

/** The definition a controller method was declared with. */
export function toolDefinitionOf(method: object): ToolDefinition | undefined {
  return Reflect.getMetadata(TOOL_DEFINITION, method) as ToolDefinition | undefined;
}
