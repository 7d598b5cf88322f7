import { z } from 'zod';
import { endCall } from '../context/call.js';
import { plainMessage, REQUIRED } from './argument-errors.js';

type JsonSchema = Record<string, unknown>;
type Issue = z.core.$ZodIssue;

interface ObjectSchema {
  readonly properties?: Readonly<Record<string, { readonly examples?: readonly unknown[] }>>;
  readonly required?: readonly string[];
}

const MAX_ECHO_CHARS = 64;
const MAX_ISSUES = 5;
const LARGEST_ADVERTISED_MAXIMUM = 10_000;

/**
 * The arguments of a tool: a zod object as a Standard Schema. It differs from handing zod over directly in four ways:
 * the JSON Schema is made once instead of on every list; an argument given as null counts as left out, as in the
 * Python server; messages name the argument and what is allowed, in plain words and without echoing what was sent; and
 * examples of whole calls stay with the schema, for the documentation and the tests.
 */
export class ToolInput<Shape extends z.ZodRawShape = z.ZodRawShape> {
  readonly '~standard';
  /** JSON Schema (2020-12) of the arguments, an object at the root. */
  readonly jsonSchema: JsonSchema;
  private readonly schema: z.ZodObject<Shape, z.core.$strict>;

  /**
   * @param examples calls that the tool accepts, shown in docs/tools.md and made by tests; not advertised to clients. A tool
   * needs them only when it refuses a call that has nothing but its required arguments.
   */
  constructor(
    shape: Shape,
    private readonly givenExamples: readonly z.input<z.ZodObject<Shape, z.core.$strict>>[] = [],
  ) {
    this.schema = z.strictObject(shape);
    const { $schema: _dialect, ...jsonSchema } = z.toJSONSchema(this.schema, {
      io: 'input',
      override: ({ jsonSchema: part, path }) => dropUnadvertisedConstraints(part, path.length > 0),
    }) as JsonSchema;
    this.jsonSchema = jsonSchema;
    const asJsonSchema = () => this.jsonSchema;
    this['~standard'] = {
      version: 1 as const,
      vendor: 'managed-agent-control',
      validate: (value: unknown) => this.validate(value),
      jsonSchema: { input: asJsonSchema, output: asJsonSchema },
    };
  }

  /** Calls that the tool accepts, the simplest one first. */
  get examples(): readonly Readonly<Record<string, unknown>>[] {
    if (this.givenExamples.length > 0) return this.givenExamples;
    const { properties = {}, required = [] } = this.jsonSchema as ObjectSchema;
    return [Object.fromEntries(required.map((name) => [name, properties[name]?.examples?.[0]]))];
  }

  private validate(value: unknown): { value: unknown } | { issues: { message: string }[] } {
    const result = this.schema.safeParse(withoutNulls(value), { error: plainMessage });
    if (result.success) return { value: result.data };
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
      const unknown = issue.keys.map((key) => JSON.stringify(key.slice(0, MAX_ECHO_CHARS))).slice(0, 5);
      const allowed = Object.keys(this.schema.shape).join(', ') || 'none';
      return argument
        ? `${argument} has unknown keys: ${unknown.join(', ')}`
        : `unknown argument ${unknown.join(', ')}; allowed: ${allowed}`;
    }
    return issue.message === REQUIRED ? `${argument} ${REQUIRED}` : `${argument}: ${issue.message}`;
  }
}

/** The type of a tool's parsed arguments: `Input<typeof sessionGetInput>`. */
export type Input<T> = T extends ToolInput<infer Shape> ? z.output<z.ZodObject<Shape, z.core.$strict>> : never;

/**
 * Every client pays for every word of a definition on every request. Limits that no sensible call meets are enforced
 * and explained when they are met, but not advertised.
 */
function dropUnadvertisedConstraints(part: z.core.JSONSchema.BaseSchema, nested: boolean): void {
  if (nested && part.additionalProperties === false) delete part.additionalProperties;
  for (const limit of ['minLength', 'maxLength', 'maxItems', 'pattern', 'propertyNames'] as const) delete part[limit];
  if (part.maximum !== undefined && part.maximum >= LARGEST_ADVERTISED_MAXIMUM) delete part.maximum;
}

function withoutNulls(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([, argument]) => argument !== null));
}
