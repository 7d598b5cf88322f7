import { z } from 'zod';
import { endCall, noteIgnoredArguments } from '../context/call.js';
import { plainMessage, REQUIRED, unknownNames } from './argument-errors.js';
import { type ArgumentSchema, readArguments } from './argument-reader.js';

type JsonSchema = Record<string, unknown>;
type Issue = z.core.$ZodIssue;
type Result = { value: unknown } | { issues: { message: string }[] };

const MAX_ECHO_CHARS = 64;
const MAX_ISSUES = 5;
const LARGEST_ADVERTISED_MAXIMUM = 10_000;

/** What a tool does with arguments that it does not know: leave them out and name them in its answer, or refuse the call. */
export type UnknownArguments = 'ignored' | 'refused';

/**
 * The arguments of a tool: a zod object as a Standard Schema. It differs from handing zod over directly in four ways:
 * the JSON Schema is made once instead of on every list, and has only what every family of models accepts; `read` takes
 * arguments as clients really send them; messages name the argument and what is allowed, in plain words and without
 * echoing what was sent; and examples of whole calls stay with the schema, for the documentation and the tests.
 */
export class ToolInput<Shape extends z.ZodRawShape = z.ZodRawShape> {
  readonly '~standard';
  /** JSON Schema (2020-12) of the arguments as clients see it, an object at the root. */
  readonly jsonSchema: JsonSchema;
  private readonly schema: z.ZodObject<Shape, z.core.$strict>;
  /** Everything that zod knows of the arguments. */
  private readonly fullSchema: ArgumentSchema;

  /**
   * @param examples calls that the tool accepts, shown in docs/tools.md and made by tests; not advertised to clients. A tool
   * needs them only when it refuses a call that has nothing but its required arguments.
   */
  constructor(
    shape: Shape,
    private readonly givenExamples: readonly z.input<z.ZodObject<Shape, z.core.$strict>>[] = [],
  ) {
    this.schema = z.strictObject(shape);
    this.fullSchema = z.toJSONSchema(this.schema, { io: 'input' }) as ArgumentSchema;
    this.jsonSchema = advertised(this.fullSchema);
    this['~standard'] = this.accepting('refused')['~standard'];
  }

  /** The Standard Schema of a tool that treats unknown arguments in this way. */
  accepting(unknown: UnknownArguments) {
    const asJsonSchema = () => this.jsonSchema;
    return {
      '~standard': {
        version: 1 as const,
        vendor: 'managed-agent-control',
        validate: (value: unknown): Result => this.validate(value, unknown),
        jsonSchema: { input: asJsonSchema, output: asJsonSchema },
      },
    };
  }

  /** Calls that the tool accepts, the simplest one first. */
  get examples(): readonly Readonly<Record<string, unknown>>[] {
    if (this.givenExamples.length > 0) return this.givenExamples;
    const { properties = {}, required = [] } = this.fullSchema;
    return [Object.fromEntries(required.map((name) => [name, properties[name]?.examples?.[0]]))];
  }

  /** The arguments of a call as they are meant, before they are checked. Guardrails, tool and audit see only these. */
  read(given: unknown): Record<string, unknown> {
    return readArguments(this.fullSchema, given);
  }

  private validate(value: unknown, unknown: UnknownArguments): Result {
    const result = this.schema.safeParse(value, { error: plainMessage });
    if (result.success) return { value: result.data };
    const ignorable = unknown === 'ignored' ? unknownAtRoot(result.error.issues) : undefined;
    if (ignorable) {
      noteIgnoredArguments(ignorable);
      return { value: this.schema.parse(without(value as object, new Set(ignorable))) };
    }
    endCall('invalid', 'arguments');
    const firstOfEach = new Map(result.error.issues.toReversed().map((issue) => [issue.path.join('.'), issue]));
    const messages = [...firstOfEach.values()].reverse().map((issue) => this.explain(issue));
    const more = messages.length - MAX_ISSUES;
    const shown = more > 0 ? [...messages.slice(0, MAX_ISSUES), `and ${more} more`] : messages;
    return { issues: shown.map((message) => ({ message })) };
  }

  private explain(issue: Issue): string {
    const argument = issue.path.map((part) => String(part).slice(0, MAX_ECHO_CHARS)).join('.');
    if (issue.code === 'unrecognized_keys') {
      const known = Object.keys(schemaAt(this.fullSchema, issue.path).properties ?? {});
      const names = unknownNames(issue.keys.slice(0, MAX_ISSUES), known, MAX_ECHO_CHARS);
      const what = argument ? `${argument} has unknown keys:` : 'unknown argument';
      return `${what} ${names}${known.length > 0 || !argument ? `; allowed: ${known.join(', ') || 'none'}` : ''}`;
    }
    return issue.message === REQUIRED ? `${argument} ${REQUIRED}` : `${argument}: ${issue.message}`;
  }
}

/** The type of a tool's parsed arguments: `Input<typeof sessionGetInput>`. */
export type Input<T> = T extends ToolInput<infer Shape> ? z.output<z.ZodObject<Shape, z.core.$strict>> : never;

/** JSON Schema of an answer as clients see it. */
export function answerSchema(output: z.ZodObject): JsonSchema {
  return advertised(z.toJSONSchema(output, { io: 'output' }) as ArgumentSchema);
}

/** The unknown arguments, when nothing else is wrong with a call. */
function unknownAtRoot([issue, ...others]: readonly Issue[]): readonly string[] | undefined {
  const isOnlyUnknown = others.length === 0 && issue?.code === 'unrecognized_keys' && issue.path.length === 0;
  return isOnlyUnknown ? issue.keys : undefined;
}

function without(value: object, names: ReadonlySet<string>): object {
  return Object.fromEntries(Object.entries(value).filter(([name]) => !names.has(name)));
}

function schemaAt(schema: ArgumentSchema, path: readonly PropertyKey[]): ArgumentSchema {
  return path.reduce<ArgumentSchema>(
    (part, key) => (typeof key === 'number' ? part.items : part.properties?.[String(key)]) ?? {},
    schema,
  );
}

/**
 * What clients see: only the keywords that the function calling of Gemini, OpenAI (strict mode included) and Claude accept.
 * `additionalProperties`, `default` and `examples` are not among them: some refuse the whole tool for one of these. Defaults
 * and examples stand in the description instead. Every client pays for every word of a definition on every request, so
 * limits that no sensible call meets are enforced and explained when they are met, but not advertised.
 */
function advertised(part: ArgumentSchema): JsonSchema {
  const { type, properties, required, items, minimum, maximum } = part;
  const description = describe(part);
  return {
    type,
    ...(description && { description }),
    ...(part.enum && { enum: part.enum }),
    ...(minimum !== undefined && minimum > Number.MIN_SAFE_INTEGER && { minimum }),
    ...(maximum !== undefined && maximum < LARGEST_ADVERTISED_MAXIMUM && { maximum }),
    ...(items && { items: advertised(items) }),
    ...(properties && {
      properties: Object.fromEntries(Object.entries(properties).map(([name, each]) => [name, advertised(each)])),
    }),
    ...(required && required.length > 0 && { required }),
  };
}

function describe({ description, default: value, examples = [] }: ArgumentSchema): string {
  const example = examples[0];
  const text = (shown: unknown) => (typeof shown === 'string' ? shown : JSON.stringify(shown));
  return [
    description,
    value === undefined ? undefined : `Default: ${text(value)}.`,
    example === undefined ? undefined : `Example: ${text(example)}`,
  ]
    .filter((part) => part !== undefined)
    .join(' ');
}
