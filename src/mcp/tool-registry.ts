import { Injectable, Module } from '@nestjs/common';
import { DiscoveryModule, DiscoveryService, MetadataScanner } from '@nestjs/core';
import { MCP_TOOL_METADATA_KEY, type ToolMetadata } from '@rekog/mcp-nest';
import { TIERS } from '../config/tiers.js';
import { uncheckedResourceArgument } from './resource-arguments.js';
import { type ToolDefinition, toolDefinitionOf } from './tool.decorator.js';

/** Some clients prefix the server's name, and some cut names at 64 characters. */
const TOOL_NAME = /^[a-z][a-z0-9_]{0,47}$/;

/**
 * Every tool of the running server, by name. The server does not start with a tool that the guardrails cannot check (its
 * tier is unknown, or an argument may name a resource that they do not look at), or with two tools of one name (mcp-nest
 * would silently serve the last one).
 */
@Injectable()
export class ToolRegistry {
  private readonly byName = new Map<string, ToolDefinition>();

  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
  ) {
    // Nest has scanned every module before it instantiates the first provider, so nothing is served before this check.
    for (const method of this.toolMethods()) this.add(method);
  }

  /** In order of declaration, which is the order clients see. */
  all(): readonly ToolDefinition[] {
    return [...this.byName.values()];
  }

  get(name: string): ToolDefinition | undefined {
    return this.byName.get(name);
  }

  /** For names that are written in the code. */
  require(name: string): ToolDefinition {
    const definition = this.get(name);
    if (!definition) throw new Error(`no tool is named "${name}"`);
    return definition;
  }

  private add(method: object): void {
    const definition = toolDefinitionOf(method);
    const name = definition?.name ?? (Reflect.getMetadata(MCP_TOOL_METADATA_KEY, method) as ToolMetadata).name;
    if (!definition || !TIERS.includes(definition.tier)) {
      throw new Error(`Tool "${name}" has no tier. Declare it with @McpTool and a tier of: ${TIERS.join(', ')}.`);
    }
    if (!TOOL_NAME.test(name)) throw new Error(`Tool name "${name}" is not of the form ${TOOL_NAME.source}.`);
    const argument = uncheckedResourceArgument(definition);
    if (argument !== undefined) {
      throw new Error(
        `Tool "${name}" takes "${argument}", which may name a resource that no guardrail checks. Use one of the names in src/mcp/resource-arguments.ts, or add it there.`,
      );
    }
    if (this.byName.has(name)) throw new Error(`Two tools are named "${name}". Rename one of them.`);
    this.byName.set(name, definition);
  }

  private toolMethods(): object[] {
    return this.discovery.getControllers().flatMap(({ metatype }) => {
      const prototype = (metatype as { prototype?: Record<string, object> } | null)?.prototype;
      if (!prototype) return [];
      return this.scanner
        .getAllMethodNames(prototype)
        .map((name) => prototype[name])
        .filter(
          (method): method is object => method !== undefined && Reflect.hasMetadata(MCP_TOOL_METADATA_KEY, method),
        );
    });
  }
}

/** The tools of the running server by name. */
@Module({ imports: [DiscoveryModule], providers: [ToolRegistry], exports: [ToolRegistry] })
export class RegistryModule {}
