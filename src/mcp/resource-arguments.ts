import { type ToolDefinition } from './tool.decorator.js';

/** The resources that a session is created from. */
export type CatalogKind = 'agent' | 'environment' | 'vault' | 'memory_store';
/** The kinds of resources that guardrails decide about. */
export type ResourceKind = CatalogKind | 'session';

/** The arguments of tools that name a resource. A call can name one in no other way. */
const ARGUMENTS: Readonly<Record<ResourceKind, readonly string[]>> = {
  agent: ['agent_id'],
  environment: ['environment_id'],
  vault: ['vault_id', 'vault_ids'],
  memory_store: ['memory_store_id', 'memory_store_ids'],
  session: ['session_id'],
};

/** Ids of things within the session that a call names, or that no guardrail checks. */
const OTHER_IDS = ['tool_use_id', 'tool_use_ids', 'session_thread_id', 'file_ids'];

const KNOWN: ReadonlySet<string> = new Set([...Object.values(ARGUMENTS).flat(), ...OTHER_IDS]);

/** Names under which a tool could take a resource that is not in the table above. */
const LOOKS_LIKE_A_RESOURCE = /(^|_)(ids?|sessions?|agents?|environments?|vaults?|memory_stores?)$/;

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
 * An argument of a tool that may name a resource under a name, or at a depth, where no guardrail looks for it; undefined
 * when there is none.
 */
export function uncheckedResourceArgument({ input }: ToolDefinition): string | undefined {
  const { properties = {} } = input.jsonSchema as Schema;
  const [own, nested] = [Object.keys(properties), Object.values(properties).flatMap(namesWithin)];
  return [...own.filter((name) => !KNOWN.has(name)), ...nested].find((name) => LOOKS_LIKE_A_RESOURCE.test(name));
}

function namesWithin({ properties = {}, items }: Schema): string[] {
  const own = Object.entries(properties).flatMap(([name, schema]) => [name, ...namesWithin(schema)]);
  return items ? [...own, ...namesWithin(items)] : own;
}
