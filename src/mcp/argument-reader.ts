import { isJsonObject, type JsonObject } from '../common/json.js';
import { JsonDepth } from './json-depth.js';

/** The part of JSON Schema that zod makes of the inputs of tools. */
export interface ArgumentSchema {
  readonly type?: string;
  readonly description?: string;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, ArgumentSchema>>;
  readonly required?: readonly string[];
  readonly items?: ArgumentSchema;
  /** The values of a map; an object with `properties` has none. */
  readonly additionalProperties?: ArgumentSchema | boolean;
  readonly anyOf?: readonly ArgumentSchema[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  /** A larger number is read as the maximum (our own keyword, not advertised). */
  readonly capped?: boolean;
}

/**
 * The arguments of a call as their schema means them. Clients and models send numbers, booleans, lists and objects as text,
 * and fill every argument, the optional ones with `null`, `""`, `[]` or 0. Text is read as the type that the schema names;
 * an optional argument whose value cannot mean anything is left out. What cannot be read stays as it is, for the validation
 * to refuse. Unknown arguments stay as well. Reading what was read before changes nothing.
 */
export function readArguments(schema: ArgumentSchema, given: unknown): Record<string, unknown> {
  return readProperties(schema, isJsonObject(given) ? given : {});
}

/**
 * The arguments of a call as the object that the protocol asks for: clients send null, an empty list (PHP's empty map), an
 * empty text, or the whole object as text. Anything else is returned unchanged.
 */
export function argumentsObject(given: unknown): unknown {
  if (given === null || given === '' || (Array.isArray(given) && given.length === 0)) return {};
  const parsed = typeof given === 'string' ? parsedJson(given) : undefined;
  return isJsonObject(parsed) ? parsed : given;
}

function read(schema: ArgumentSchema, value: unknown): unknown {
  const { type = schema.anyOf?.find((option) => option.type !== 'null')?.type } = schema;
  switch (type) {
    case 'string':
      return readText(schema, value);
    case 'integer':
    case 'number':
      return readNumber(schema, value);
    case 'boolean':
      return readBoolean(value);
    case 'array':
      return readList(schema, value);
    case 'object':
      return readObject(schema, value);
    default:
      return value;
  }
}

/** A number or boolean in place of a text: some clients parse every text that looks like JSON. */
function readText(schema: ArgumentSchema, value: unknown): unknown {
  if (schema.enum) return value;
  // A large number has lost digits before it arrived here.
  const isExact = typeof value === 'number' && (!Number.isInteger(value) || Number.isSafeInteger(value));
  return isExact || typeof value === 'boolean' ? String(value) : value;
}

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,3})?$/i;

function readNumber({ maximum, capped }: ArgumentSchema, value: unknown): unknown {
  const text = typeof value === 'string' ? value.trim() : '';
  const number = NUMBER.test(text) ? Number(text) : value;
  const exceeds = capped === true && maximum !== undefined && typeof number === 'number' && number > maximum;
  return exceeds ? maximum : withoutNothing(number);
}

/** The same words as for settings. */
const BOOLEANS: Readonly<Record<string, boolean>> = {
  true: true,
  yes: true,
  on: true,
  1: true,
  false: false,
  no: false,
  off: false,
  0: false,
};

function readBoolean(value: unknown): unknown {
  if (typeof value !== 'string' && typeof value !== 'number') return value;
  const word = String(value).trim().toLowerCase();
  return Object.hasOwn(BOOLEANS, word) ? BOOLEANS[word] : withoutNothing(value);
}

/** A list, a list as text, or a single item. */
function readList({ items = {} }: ArgumentSchema, value: unknown): unknown {
  const given = typeof value === 'string' ? (listOfText(value, items) ?? withoutNothing(value)) : value;
  const list = isJsonObject(given) && items.type === 'object' ? [given] : given;
  if (!Array.isArray(list)) return list;
  return list.map((item) => (item === null ? null : read(items, item))).filter((item) => item !== null);
}

function listOfText(text: string, items: ArgumentSchema): unknown[] | undefined {
  const parsed = parsedJson(text);
  if (Array.isArray(parsed)) return parsed as unknown[];
  if (isJsonObject(parsed)) return items.type === 'object' ? [parsed] : undefined;
  if (items.type !== 'string' || isNothing(text)) return undefined;
  // Python's notation, a comma-separated list, or one item. No item of our lists contains a comma or a quotation mark.
  const inner = /^\s*\[(.*)\]\s*$/s.exec(text)?.[1] ?? text;
  const parts = inner.split(',').map((part) => part.trim().replace(/^(['"])(.*)\1$/s, '$2'));
  return parts.filter((part) => part !== '');
}

function readObject(schema: ArgumentSchema, value: unknown): unknown {
  const parsed = typeof value === 'string' ? parsedJson(value) : undefined;
  const given = isJsonObject(parsed) ? parsed : withoutNothing(value);
  return isJsonObject(given) ? readProperties(schema, given) : given;
}

function readProperties(schema: ArgumentSchema, given: JsonObject): Record<string, unknown> {
  const entries = Object.entries(given).flatMap(([name, value]): [string, unknown][] => {
    const property = propertyOf(schema, name);
    if (!property) return value === null ? [] : [[name, value]];
    if (value === null) return takesNull(property) ? [[name, value]] : [];
    const known = read(property, value);
    const isOptional = schema.properties !== undefined && !schema.required?.includes(name);
    return known === null || (isOptional && saysNothing(property, known)) ? [] : [[name, known]];
  });
  return Object.fromEntries(entries);
}

function propertyOf(
  { properties = {}, additionalProperties }: ArgumentSchema,
  name: string,
): ArgumentSchema | undefined {
  if (Object.hasOwn(properties, name)) return properties[name];
  return typeof additionalProperties === 'object' ? additionalProperties : undefined;
}

function takesNull({ anyOf = [] }: ArgumentSchema): boolean {
  return anyOf.some(({ type }) => type === 'null');
}

/** Whether a value cannot mean anything: empty, a 0 that is not allowed, or an object in which a needed text is missing. */
function saysNothing(schema: ArgumentSchema, value: unknown): boolean {
  if (value === '') return true;
  if (value === 0) return (schema.minimum ?? 0) > 0;
  if (Array.isArray(value)) return value.length === 0;
  if (!isJsonObject(value)) return false;
  const { properties = {}, required = [] } = schema;
  const entries = Object.entries(value);
  if (entries.length === 0) return true;
  return (
    required.some((name) => isMissing(properties[name] ?? {}, value[name])) &&
    entries.every(([name, item]) => item === false || saysNothing(properties[name] ?? {}, item))
  );
}

function isMissing({ minLength = 0 }: ArgumentSchema, value: unknown): boolean {
  return value === undefined || (value === '' && minLength > 0);
}

const NOTHING: ReadonlySet<string> = new Set(['', 'null', 'none', 'undefined']);

/** A text that stands for no value where no text is expected. */
function isNothing(value: unknown): boolean {
  return typeof value === 'string' && NOTHING.has(value.trim().toLowerCase());
}

function withoutNothing(value: unknown): unknown {
  return isNothing(value) ? null : value;
}

/** What a JSON text says; undefined when it is none, is nested too deeply, or has keys that could change prototypes. */
function parsedJson(text: string): unknown {
  if (!/^\s*[[{]/.test(text) || new JsonDepth().exceededBy(Buffer.from(text))) return undefined;
  try {
    return JSON.parse(text, (key, value: unknown) => {
      if (key === '__proto__' || (key === 'constructor' && isJsonObject(value)))
        throw new SyntaxError('a forbidden key');
      return value;
    });
  } catch {
    return undefined;
  }
}

/**
 * A JSON-RPC message, or a batch of them, in which the arguments of tool calls are an object where that is what the client
 * meant. It runs before the MCP SDK checks messages, which accepts nothing else.
 */
export function withArgumentsObject<Message>(message: Message): Message {
  if (Array.isArray(message)) return message.map(withArgumentsObject) as Message;
  if (!isJsonObject(message) || message.method !== 'tools/call' || !isJsonObject(message.params)) return message;
  const { params } = message;
  if (!('arguments' in params)) return message;
  return { ...message, params: { ...params, arguments: argumentsObject(params.arguments) } };
}
