import { callTool, connectStdio, ERAS } from '../support/client.js';
import { type CallersHarness, startWithCallers } from '../support/callers.js';
import { serverEnv, startServer } from '../support/server.js';
import { auditLines } from '../support/stderr.js';
import { exampleCalls } from '../support/example-calls.js';
import { callsOf } from './calls.js';
import { TOOL_NAMES, TOOL_TABLE, toolsOf } from './tool-table.js';

const CALLERS = {
  nobody: {},
  reader: { groups: ['staff'] },
  runner: { roles: ['developer'] },
  signer: { scopes: ['sessions.approve'] },
  both: { roles: ['developer'], scopes: ['sessions.approve'] },
  ci: { issuer: 'bearer' },
  root: { subject: 'alice@example.com' },
};
const BINDINGS =
  'admin=subject:alice@example.com; operator=role:developer,token:ci; approver=scope:sessions.approve; viewer=group:staff';
const ROLES: Record<keyof typeof CALLERS, string[]> = {
  nobody: [],
  reader: ['viewer'],
  runner: ['operator'],
  signer: ['approver'],
  both: ['operator', 'approver'],
  ci: ['operator'],
  root: ['admin'],
};
const NAMES = Object.keys(CALLERS) as (keyof typeof CALLERS)[];

/** A valid call. The resources it names do not exist, which the API would say. */
function anyCall(tool: string): Record<string, unknown> {
  const { names } = TOOL_TABLE[tool]!;
  const calls = names.includes('session') ? callsOf(tool, { session_id: 'sesn_1' }) : exampleCalls(tool);
  return calls[0] as Record<string, unknown>;
}

let harness: CallersHarness<keyof typeof CALLERS>;
beforeAll(async () => {
  harness = await startWithCallers(CALLERS, { MCP_ROLE_BINDINGS: BINDINGS });
});
afterAll(() => harness.close());

describe.each(ERAS)('a %s client', (_version, mode) => {
  it.each(NAMES)('%s sees the tools of its roles and may call no other', async (name) => {
    const client = await harness.connect(name, mode);
    const mine = toolsOf(...ROLES[name]);
    expect((await client.listTools()).tools.map((tool) => tool.name)).toEqual(mine);
    for (const tool of TOOL_NAMES) {
      const { isError, text } = await callTool(client, tool, anyCall(tool));
      const { outcome, reason } = auditLines().at(-1)!;
      const isRefused = outcome === 'refused';
      expect([tool, isRefused]).toEqual([tool, !mine.includes(tool)]);
      if (!isRefused) continue;
      expect([isError, reason]).toEqual([true, 'role']);
      expect(text).toMatch(
        new RegExp(`^${tool} requires the role .*Ask someone with that role to do it, or ask the operator`),
      );
    }
  });
});

it('takes the rights of others away: without any role nothing reaches the API', async () => {
  const before = harness.simulator.requests.length;
  for (const tool of TOOL_NAMES) await callTool(harness.clients.nobody, tool, anyCall(tool));
  expect(harness.simulator.requests.length).toBe(before);
});

it('counts on stdio as well, for the subject "local"', async () => {
  const env = (MCP_ROLE_BINDINGS: string) => serverEnv(harness.simulator.url, { MCP_ROLE_BINDINGS });
  const bound = await connectStdio(env('viewer=subject:local'));
  expect((await bound.client.listTools()).tools.map(({ name }) => name)).toEqual(toolsOf('viewer'));
  await bound.client.close();
  const unbound = await connectStdio(env('admin=group:platform'));
  expect((await unbound.client.listTools()).tools).toEqual([]);
  await unbound.client.close();
});

it.each([
  ['admin', /MCP_ROLE_BINDINGS: "admin" does not begin with a role and "="; it must be entries of the form/],
  ['root=*', /"root=\*" does not begin with a role/],
  [
    'admin=alice',
    /"alice" of admin names no principal; .* role:<name>, group:<name>, scope:<name>, subject:<name>, token:<name>/,
  ],
  [';', /MCP_ROLE_BINDINGS: must be entries of the form role=who/],
])('does not start with MCP_ROLE_BINDINGS=%j', async (MCP_ROLE_BINDINGS, message) => {
  await expect(startServer(serverEnv('http://127.0.0.1:1', { MCP_ROLE_BINDINGS }))).rejects.toThrow(message);
});
