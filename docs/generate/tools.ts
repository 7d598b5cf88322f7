import 'reflect-metadata';
import { type Type } from '@nestjs/common';
import { MODULE_METADATA } from '@nestjs/common/constants.js';
import { TOOL_MODULES } from '../../src/app.module.js';
import { type ToolDefinition, toolDefinitionOf } from '../../src/mcp/tool.decorator.js';

interface PropertySchema {
  readonly type?: string;
  readonly description?: string;
  readonly enum?: readonly string[];
  readonly items?: PropertySchema;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxItems?: number;
}

/** A tool, and the method of a controller that implements it. */
export interface DeclaredTool {
  readonly definition: ToolDefinition;
  readonly method: object;
}

/** Every tool of the server, in the order in which clients see them: the methods of the controllers of the tool modules. */
export function declaredTools(): DeclaredTool[] {
  const controllers = TOOL_MODULES.flatMap(
    (module) => Reflect.getMetadata(MODULE_METADATA.CONTROLLERS, module) as Type<object>[],
  );
  return controllers.flatMap(({ prototype }) =>
    Object.values(Object.getOwnPropertyDescriptors(prototype as object)).flatMap(({ value: method }) => {
      const definition = typeof method === 'function' ? toolDefinitionOf(method as object) : undefined;
      return definition ? [{ definition, method: method as object }] : [];
    }),
  );
}

/** Every tool definition, in the order in which clients see them. */
export function allTools(): ToolDefinition[] {
  return declaredTools().map(({ definition }) => definition);
}

/** `docs/tools.md`, from the tool definitions. */
export function toolsPage(): string {
  return [
    '# Tools',
    '',
    'Results are JSON, the same in `content` and in `structuredContent`. Every list answers `{ <plural>: [...], count, has_more, next_page }`; `unreadable` counts entries that the API sent and that could not be read. Numbers, booleans, lists and objects may be given as text. `null`, and an empty value of an optional argument, count as left out; a `limit` above the maximum is read as the maximum. An unknown argument of a tool that only reads is left out and named in `ignored_arguments` of the answer; any other tool refuses it. A failed call has `isError` and one text: what is wrong, and what to do next. The ids of the examples are cut.',
    ...allTools().flatMap((tool) => ['', ...toolSection(tool)]),
    '',
  ].join('\n');
}

/** The table of README.md. */
export function toolTable(): string {
  const rows = allTools().map(
    ({ name, tier, description }) => `| ${tier} | \`${name}\` | ${firstSentence(description)} |`,
  );
  return ['| Tier | Tool | What it does |', '| --- | --- | --- |', ...rows].join('\n');
}

function toolSection({ name, title, tier, description, input, hints }: ToolDefinition): string[] {
  const { properties = {}, required = [] } = input.jsonSchema as {
    properties?: Record<string, PropertySchema>;
    required?: string[];
  };
  const hintNames = Object.entries(hints)
    .filter(([, value]) => value)
    .map(([hint]) => `\`${hint}\``);
  return [
    `## \`${name}\``,
    '',
    `*${title}*. Tier: ${tier}. ${hintNames.join(', ')}.`,
    '',
    description,
    '',
    '| Argument | Type | Meaning |',
    '| --- | --- | --- |',
    ...Object.entries(properties).map(
      ([argument, schema]) =>
        `| \`${argument}\`${required.includes(argument) ? ' (required)' : ''} | ${typeOf(schema)} | ${schema.description ?? ''} |`,
    ),
    '',
    `Examples: ${input.examples.map((example) => `\`${JSON.stringify(example)}\``).join(', ')}`,
  ];
}

function typeOf(schema: PropertySchema): string {
  if (schema.enum) return schema.enum.map((value) => `\`${value}\``).join(' or ');
  if (schema.type === 'array')
    return `list of ${typeOf(schema.items ?? {})}${schema.maxItems ? `, at most ${schema.maxItems}` : ''}`;
  if (schema.maximum !== undefined) return `${schema.type} from ${schema.minimum ?? 0} to ${schema.maximum}`;
  return schema.type ?? 'any';
}

function firstSentence(text: string): string {
  return /^.*?\.(?= |$)/.exec(text)?.[0] ?? text;
}
