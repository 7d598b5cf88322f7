import { type ToolDefinition } from './tool-definition.js';

/** What sessions are put together from. */
export type CatalogKind = 'agent' | 'environment' | 'vault' | 'memory_store';
/** The kinds of things that rules decide about. */
export type ResourceKind = CatalogKind | 'session';

/** The arguments of tools that name them. There is no other way for a call to name one. */
const ARGUMENTS: Readonly<Record<ResourceKind, readonly string[]>> = {
  agent: ['agent_id'],
  environment: ['environment_id'],
  vault: ['vault_id', 'vault_ids'],
  memory_store: ['memory_store_id', 'memory_store_ids'],
  session: ['session_id'],
};

/** Ids of things that belong to the session a call names, or that no rule is about. */
const OTHER_IDS = ['tool_use_id', 'tool_use_ids', 'session_thread_id', 'file_ids'];

const KNOWN: ReadonlySet<string> = new Set([...Object.values(ARGUMENTS).flat(), ...OTHER_IDS]);

/** Names under which a tool could take a thing past the table above. */
const LOOKS_LIKE_A_THING = /(^|_)(ids?|sessions?|agents?|environments?|vaults?|memory_stores?)$/;

/** The ids of this kind that a call names. */
export function idsNamed(kind: ResourceKind, args: Readonly<Record<string, unknown>>): readonly string[] {
  return ARGUMENTS[kind]
    .flatMap((name) => args[name])
    .filter((value) => value !== undefined)
    .map(String);
}

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
}

/**
 * An argument of a tool that may name a thing under a name, or at a depth, where no rule looks for it; undefined when
 * there is none.
 */
export function unjudgeableArgument({ input }: ToolDefinition): string | undefined {
  const { properties = {} } = input.jsonSchema as Schema;
  const [own, nested] = [Object.keys(properties), Object.values(properties).flatMap(namesWithin)];
  return [...own.filter((name) => !KNOWN.has(name)), ...nested].find((name) => LOOKS_LIKE_A_THING.test(name));
}

function namesWithin({ properties = {}, items }: Schema): string[] {
  const own = Object.entries(properties).flatMap(([name, schema]) => [name, ...namesWithin(schema)]);
  return items ? [...own, ...namesWithin(items)] : own;
}
