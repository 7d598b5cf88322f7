import { type Client } from '@modelcontextprotocol/client';
import { allTools } from '../../docs/generate/tools.js';
import { INSTRUCTIONS } from '../../src/mcp/server-identity.js';
import { connectHttp, ERAS } from '../support/client.js';
import { exampleCalls } from '../support/example-calls.js';
import { type Harness, startHarness } from '../support/harness.js';

/** Four characters a token is what JSON schemas come to with the tokenizers in use; an estimate, the same for all. */
const tokens = (value: unknown) => Math.ceil(JSON.stringify(value).length / 4);

let harness: Harness;
let client: Client;
beforeAll(async () => {
  harness = await startHarness();
  ({ client } = harness);
});
afterAll(() => harness.close());

it('serves the tools that are declared, in order of declaration', async () => {
  const { tools } = await client.listTools();
  expect(tools.map((tool) => tool.name)).toEqual(allTools().map((tool) => tool.name));
});

it.each([
  ...['agent', 'environment', 'vault', 'memory_store'].flatMap((kind) => [`${kind}_list`, `${kind}_get`]),
  ...['start', 'get', 'list', 'events', 'archive', 'delete', 'message', 'interrupt', 'respond'].map(
    (verb) => `session_${verb}`,
  ),
])('serves %s, as the Python server does', async (name) => {
  const { tools } = await client.listTools();
  expect(tools.map((tool) => tool.name)).toContain(name);
});

it.each(allTools())('$name looks to clients as it did, and has the same tier', async ({ name, tier }) => {
  const { tools } = await client.listTools();
  expect({ tier, ...tools.find((tool) => tool.name === name) }).toMatchSnapshot();
});

it.each(allTools())('$name accepts its examples', ({ name, input }) => {
  const calls = exampleCalls(name);
  expect(calls.length).toBeGreaterThan(0);
  for (const call of calls) expect(input['~standard'].validate(call)).not.toHaveProperty('issues');
});

it.each(ERAS)('a %s client sees the same tools', async (_version, mode) => {
  const other = await connectHttp(harness.server.url, mode);
  expect((await other.listTools()).tools).toEqual((await client.listTools()).tools);
  await other.close();
});

it('session_respond has the mark by which Claude Code asks its user, unless the operator switches it off', async () => {
  const metaOf = async (from: Client) => {
    const { tools } = await from.listTools();
    return tools.find(({ name }) => name === 'session_respond')?._meta;
  };
  expect(await metaOf(client)).toEqual({ 'anthropic/requiresUserInteraction': true });
  const other = await startHarness({ env: { MCP_APPROVAL_PROMPT: 'false' } });
  const meta = await metaOf(other.client);
  await other.close();
  expect(meta).toBeUndefined();
});

it('stays within the budget every client pays', async () => {
  const { tools } = await client.listTools();
  expect(tokens(tools)).toBeLessThanOrEqual(5000);
  for (const tool of tools) expect([tool.name, tokens(tool)]).toEqual([tool.name, expect.toBeAtMost(400)]);
});

it.each(allTools())('$name is declared completely', ({ title, description, input, hints, tier }) => {
  expect(title).toMatch(/^[A-Z]/);
  expect(description.length).toBeLessThan(2048);
  expect(Object.values(hints)).toEqual([
    expect.any(Boolean),
    expect.any(Boolean),
    expect.any(Boolean),
    expect.any(Boolean),
  ]);
  expect(hints.readOnlyHint && hints.destructiveHint).toBe(false);
  expect(hints.readOnlyHint).toBe(tier === 'discover' || tier === 'observe');
  expect(input.jsonSchema).toMatchObject({ type: 'object' });
});

it.each(ERAS)(
  'teaches the loop to a %s client in at most 2 KB, the first 512 characters on their own',
  async (_version, mode) => {
    const other = await connectHttp(harness.server.url, mode);
    expect(other.getInstructions()).toBe(INSTRUCTIONS);
    await other.close();
    expect(Buffer.byteLength(INSTRUCTIONS)).toBeLessThanOrEqual(2048);
    const opening = INSTRUCTIONS.slice(0, 512);
    for (const tool of ['agent_list', 'session_start', 'session_wait', 'session_message', 'session_respond']) {
      expect(opening).toContain(tool);
    }
  },
);

expect.extend({
  toBeAtMost: (received: number, limit: number) => ({
    pass: received <= limit,
    message: () => `${received} is more than ${limit}`,
  }),
});
declare global {
  // eslint-disable-next-line @typescript-eslint/no-namespace -- the only way jest's matchers can be extended in types
  namespace jest {
    interface Expect {
      toBeAtMost(limit: number): number;
    }
  }
}
