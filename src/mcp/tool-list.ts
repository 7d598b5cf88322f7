import { Injectable } from '@nestjs/common';
import { ApprovalSettings } from '../config/approval.settings.js';
import { type Principal } from '../context/principal.js';
import { ToolAccess } from './access.js';
import { answerSchema } from './tool-input.js';
import { type ToolDefinition } from './tool.decorator.js';
import { ToolRegistry } from './tool-registry.js';

/** A tool as `tools/list` shows it. */
export interface ListedTool {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly inputSchema: Record<string, unknown>;
  readonly outputSchema?: Record<string, unknown>;
  readonly annotations: Record<string, unknown>;
  readonly _meta?: Record<string, unknown>;
}

/** Understood by Claude Code. */
const REQUIRES_USER_INTERACTION = { 'anthropic/requiresUserInteraction': true };

/**
 * The answer to `tools/list`. It replaces the one of mcp-nest, which drops titles, claims `noauth` for every tool and converts
 * each schema on each call.
 */
@Injectable()
export class ToolList {
  private readonly listed: readonly { definition: ToolDefinition; tool: ListedTool }[];
  private readonly results = new Map<string, { tools: ListedTool[] }>();

  constructor(
    registry: ToolRegistry,
    private readonly access: ToolAccess,
    { prompt }: ApprovalSettings,
  ) {
    this.listed = registry.all().map((definition) => ({ definition, tool: toListedTool(definition, prompt) }));
  }

  /** The tools a principal sees, in order of declaration; one result object per distinct selection. */
  for(principal: Principal): { tools: ListedTool[] } {
    const visible = this.listed.filter(({ definition }) => this.access.visible(definition, principal));
    const key = visible.map(({ tool }) => tool.name).join();
    let result = this.results.get(key);
    if (!result) this.results.set(key, (result = { tools: visible.map(({ tool }) => tool) }));
    return result;
  }
}

function toListedTool(definition: ToolDefinition, prompts: boolean): ListedTool {
  const { name, title, description, input, output, hints, requiresUserInteraction } = definition;
  return {
    name,
    title,
    description,
    inputSchema: input.jsonSchema,
    ...(output && { outputSchema: answerSchema(output) }),
    annotations: { title, ...hints },
    ...(requiresUserInteraction && prompts && { _meta: REQUIRES_USER_INTERACTION }),
  };
}
