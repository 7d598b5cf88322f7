import { z } from 'zod';
import { idsNamed, uncheckedResourceArgument } from './resource-arguments.js';
import { type ToolDefinition } from './tool.decorator.js';
import { ToolInput } from './tool-input.js';

const tool = (shape: z.ZodRawShape) => ({ input: new ToolInput(shape) }) as unknown as ToolDefinition;
const text = z.string();

it.each([
  'session_id',
  'vault_ids',
  'memory_store_id',
  'tool_use_ids',
  'file_ids',
  'include_archived',
  'agent_version',
])('knows the argument %s', (name) => {
  expect(uncheckedResourceArgument(tool({ [name]: text }))).toBeUndefined();
});

it.each(['session', 'sessions', 'session_ids', 'id', 'ids', 'target_session_id', 'from_agent', 'vault', 'store_id'])(
  'does not know the argument %s',
  (name) => {
    expect(uncheckedResourceArgument(tool({ message: text, [name]: text.optional() }))).toBe(name);
  },
);

it('finds what is named within an argument, where no rule looks', () => {
  expect(uncheckedResourceArgument(tool({ target: z.object({ session_id: text }) }))).toBe('session_id');
  expect(uncheckedResourceArgument(tool({ targets: z.array(z.object({ deep: z.object({ vault: text }) })) }))).toBe(
    'vault',
  );
  expect(uncheckedResourceArgument(tool({ repositories: z.array(z.object({ url: text })) }))).toBeUndefined();
});

it.each([
  ['session', { session_id: 'a', agent_id: 'b' }, ['a']],
  ['vault', { vault_id: 'a', vault_ids: ['b', 'c'] }, ['a', 'b', 'c']],
  ['vault', { vault_ids: [] }, []],
  ['memory_store', { memory_store_ids: ['a'] }, ['a']],
  ['environment', {}, []],
] as const)('names of kind %s in %j are %j', (kind, args, ids) => {
  expect(idsNamed(kind, args)).toEqual(ids);
});
