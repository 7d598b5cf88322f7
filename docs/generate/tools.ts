import { DiscoverTools } from '../../src/discover/discover.tools.js';
import { ApprovalTools } from '../../src/interact/approvals/approval.tools.js';
import { InteractTools } from '../../src/interact/interact.tools.js';
import { type ToolDefinition, toolDefinitionOf } from '../../src/mcp/tool.decorator.js';
import { SessionTools } from '../../src/session/session.tools.js';

interface PropertySchema {
  readonly type?: string;
  readonly description?: string;
  readonly enum?: readonly string[];
  readonly default?: unknown;
  readonly items?: PropertySchema;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxItems?: number;
}

/** Every tool definition, in the order in which clients see them. */
export function allTools(): ToolDefinition[] {
  return [DiscoverTools, SessionTools, InteractTools, ApprovalTools].flatMap(({ prototype }) =>
    Object.getOwnPropertyNames(prototype)
      .map((name) => toolDefinitionOf((prototype as unknown as Record<string, object>)[name] ?? {}))
      .filter((definition) => definition !== undefined),
  );
}

/** `docs/tools.md`, from the tool definitions. */
export function toolsPage(): string {
  return [
    '# Tools',
    '',
    'Results are JSON, the same in `content` and in `structuredContent`. Every list answers `{ <plural>: [...], count, has_more, next_page }`. An argument given as `null` counts as left out; an unknown argument is an error. A failed call has `isError` and one text: what is wrong, and what to do next.',
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
        `| \`${argument}\`${required.includes(argument) ? ' (required)' : ''} | ${typeOf(schema)} | ${meaningOf(schema)} |`,
    ),
  ];
}

function typeOf(schema: PropertySchema): string {
  if (schema.enum) return schema.enum.map((value) => `\`${value}\``).join(' or ');
  if (schema.type === 'array')
    return `list of ${typeOf(schema.items ?? {})}${schema.maxItems ? `, at most ${schema.maxItems}` : ''}`;
  if (schema.maximum !== undefined) return `${schema.type} from ${schema.minimum ?? 0} to ${schema.maximum}`;
  return schema.type ?? 'any';
}

function meaningOf({ description, default: value }: PropertySchema): string {
  return [description, value === undefined ? '' : `Default: \`${JSON.stringify(value)}\`.`].filter(Boolean).join(' ');
}

function firstSentence(text: string): string {
  return /^.*?\.(?= |$)/.exec(text)?.[0] ?? text;
}
