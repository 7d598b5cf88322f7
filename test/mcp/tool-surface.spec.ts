import { type Client } from '@modelcontextprotocol/client';
import { allTools } from '../../docs/generate/tools.js';
import { INSTRUCTIONS } from '../../src/mcp/server-identity.js';
import { connectHttp, ERAS } from '../support/client.js';
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

it('serves the 17 tools of the Python server, and three more', async () => {
  const { tools } = await client.listTools();
  expect(tools.map((tool) => tool.name)).toEqual([
    'agent_list',
    'agent_get',
    'environment_list',
    'environment_get',
    'vault_list',
    'vault_get',
    'memory_store_list',
    'memory_store_get',
    'session_start',
    'session_get',
    'session_list',
    'session_events',
    'session_wait',
    'session_archive',
    'session_delete',
    'session_message',
    'session_interrupt',
    'session_respond',
    'session_update',
    'approval_list',
  ]);
});

it.each(allTools().map((tool) => tool.name))('%s looks to clients as it did', async (name) => {
  const { tools } = await client.listTools();
  expect(tools.find((tool) => tool.name === name)).toMatchSnapshot();
});

it.each(ERAS)('a %s client sees the same tools', async (_version, mode) => {
  const other = await connectHttp(harness.server.url, mode);
  expect((await other.listTools()).tools).toEqual((await client.listTools()).tools);
  await other.close();
});

it('stays within the budget every client pays', async () => {
  const { tools } = await client.listTools();
  expect(tools.length).toBeLessThanOrEqual(20);
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
  expect(input.jsonSchema).toMatchObject({ type: 'object', additionalProperties: false });
  for (const combinator of ['anyOf', 'oneOf', 'allOf'])
    expect(JSON.stringify(input.jsonSchema)).not.toContain(combinator);
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

it('is the whole list of 20 in the documentation, too', () => {
  expect(allTools()).toHaveLength(20);
});

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
