import { allTools } from '../../docs/generate/tools.js';
import { type ToolDefinition } from '../../src/mcp/tool.decorator.js';

const BY_NAME = new Map(allTools().map((definition) => [definition.name, definition]));

function definitionOf(tool: string): ToolDefinition {
  const definition = BY_NAME.get(tool);
  if (!definition) throw new Error(`no tool is named "${tool}"`);
  return definition;
}

/** The arguments that a tool takes. */
export function propertiesOf(tool: string): string[] {
  return Object.keys((definitionOf(tool).input.jsonSchema as { properties?: object }).properties ?? {});
}

/** The arguments that a tool cannot do without. */
export function requiredOf(tool: string): readonly string[] {
  return (definitionOf(tool).input.jsonSchema as { required?: readonly string[] }).required ?? [];
}

/** Valid calls of a tool, from the examples of its input, the simplest one first. */
export function exampleCalls(tool: string): Record<string, unknown>[] {
  return definitionOf(tool).input.examples.map((example) => whole(example) as Record<string, unknown>);
}

/** Ids are cut in examples that clients see, so that no model takes one for a real id. */
function whole(value: unknown): unknown {
  if (typeof value === 'string') return value.replace(/\.\.\.$/, '');
  if (Array.isArray(value)) return value.map(whole);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, whole(item)]));
}
