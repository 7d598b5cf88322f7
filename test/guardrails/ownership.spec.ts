import { FIXTURES } from '../simulator/index.js';
import { callTool } from '../support/client.js';
import { type CallersHarness, startWithCallers } from '../support/callers.js';
import { serverEnv, startServer } from '../support/server.js';

const CALLERS = {
  alice: {},
  bob: {},
  twin: { subject: 'alice', issuer: 'https://other.example.com' },
  root: { roles: ['platform'] },
};
const ENV = { MCP_SESSION_ISOLATION: 'owner', MCP_ROLE_BINDINGS: 'admin=role:platform; operator=*; approver=*' };
type Name = keyof typeof CALLERS;
const agent_id = FIXTURES.agents.deployer;
const environment_id = FIXTURES.environments.locked;
const OWNER = 'managed-agent-control/owner';

let harness: CallersHarness<Name>;
afterEach(() => harness.close());

const call = (name: Name, tool: string, args: object = {}) =>
  callTool(harness.clients[name], tool, args as Record<string, unknown>);
const start = async (name: Name, args: object = {}) =>
  (await call(name, 'session_start', { agent_id, environment_id, ...args })).data.session_id as string;
const elsewhere = () => harness.simulator.world.sessions.create({ agent: agent_id, environment_id }).id;
const listed = async (name: Name) =>
  ((await call(name, 'session_list')).data.sessions as { id: string }[]).map(({ id }) => id).toSorted();

it('writes the owner into the metadata of what it starts, beside the metadata of the caller', async () => {
  harness = await startWithCallers(CALLERS, ENV);
  await start('alice', { metadata: { team: 'blue' } });
  await start('root');
  const bodies = harness.simulator.requests.filter(({ method }) => method === 'POST').map(({ body }) => body);
  expect(bodies).toEqual([
    expect.objectContaining({ metadata: { team: 'blue', [OWNER]: 'https://idp.example.com|alice' } }),
    expect.objectContaining({ metadata: { [OWNER]: 'https://idp.example.com|root' } }),
  ]);
});

it('shows and gives everyone their own, and admins everything', async () => {
  harness = await startWithCallers(CALLERS, ENV);
  const [a, b, t, none] = [await start('alice'), await start('bob'), await start('twin'), elsewhere()];
  expect(await listed('alice')).toEqual([a]);
  expect(await listed('bob')).toEqual([b]);
  expect(await listed('twin')).toEqual([t]);
  expect(await listed('root')).toEqual([a, b, t, none].toSorted());
  const reached = async (name: Name) => {
    const ids = [a, b, t, none];
    const answers = await Promise.all(ids.map((session_id) => call(name, 'session_get', { session_id })));
    return ids.filter((_, index) => !answers[index]!.isError);
  };
  expect(await reached('alice')).toEqual([a]);
  expect(await reached('bob')).toEqual([b]);
  expect(await reached('twin')).toEqual([t]);
  expect(await reached('root')).toEqual([a, b, t, none]);
});

it('lists approvals of own sessions only, and counts no others', async () => {
  harness = await startWithCallers(CALLERS, ENV);
  const [a, b] = [await start('alice', { message: 'go' }), await start('bob', { message: 'go' })];
  for (const id of [a, b]) await harness.simulator.settle(id);
  const waiting = async (name: Name) => {
    const { data } = await call(name, 'approval_list');
    const ids = (data.approvals as { session_id: string }[]).map(({ session_id }) => session_id);
    return { sessions: [...new Set(ids)].toSorted(), examined: Number(data.sessions_examined) };
  };
  expect(await waiting('alice')).toEqual({ sessions: [a], examined: 1 });
  expect(await waiting('bob')).toEqual({ sessions: [b], examined: 1 });
  expect(await waiting('root')).toEqual({ sessions: [a, b].toSorted(), examined: 2 });
});

it('reads no log of a foreign session, and pages past foreign ones', async () => {
  harness = await startWithCallers(CALLERS, ENV);
  const mine = await start('alice', { message: 'go' });
  const foreign: string[] = [];
  for (let n = 0; n < 7; n++) foreign.push(await start('bob', { message: 'go' }));
  for (const id of [mine, ...foreign]) await harness.simulator.settle(id);
  const { data } = await call('alice', 'session_list', { limit: 1 });
  expect(data).toMatchObject({ count: 0, has_more: true });
  const next = await call('alice', 'session_list', { limit: 1, page: data.next_page });
  expect((next.data.sessions as object[])[0]).toMatchObject({ id: mine });
  await call('alice', 'approval_list');
  for (const { path } of harness.simulator.requests.filter(({ method }) => method === 'GET'))
    for (const id of foreign) expect(path).not.toContain(id);
});

it('nobody sets, changes or removes an owner', async () => {
  harness = await startWithCallers(CALLERS, ENV);
  for (const metadata of [{ [OWNER]: 'https://idp.example.com|alice' }, { [OWNER.toUpperCase()]: 'x' }])
    expect(await call('bob', 'session_start', { agent_id, environment_id, metadata })).toMatchObject({
      isError: true,
      text: expect.stringMatching(
        /"managed-agent-control\/" are reserved for this server\. Nothing was done\. Leave them out/,
      ),
    });
  expect(harness.simulator.requests).toEqual([]);
});

it('holds on other replicas, which read the owner once', async () => {
  harness = await startWithCallers(CALLERS, ENV);
  const session_id = await start('alice');
  const replica = await startWithCallers(CALLERS, ENV, { world: harness.simulator });
  const reads = () => harness.simulator.requests.filter(({ path }) => path === `/v1/sessions/${session_id}`).length;
  expect((await call('bob', 'session_message', { session_id, text: 'hi' })).isError).toBe(true);
  expect(reads()).toBe(0);
  for (let n = 0; n < 3; n++)
    expect((await callTool(replica.clients.bob, 'session_events', { session_id })).isError).toBe(true);
  expect((await callTool(replica.clients.alice, 'session_events', { session_id })).isError).toBe(false);
  expect(reads()).toBe(1);
  await replica.close();
});

it('without isolation nothing is written and nothing is hidden', async () => {
  harness = await startWithCallers(CALLERS);
  const a = await start('alice');
  expect(harness.simulator.requests[0]!.body).not.toHaveProperty('metadata');
  expect((await call('bob', 'session_get', { session_id: a })).isError).toBe(false);
  expect(await listed('bob')).toEqual([a]);
});

it('without roles nobody is an admin', async () => {
  harness = await startWithCallers(CALLERS, { MCP_SESSION_ISOLATION: 'owner' });
  await start('alice');
  expect(await listed('root')).toEqual([]);
});

it('does not start with another mode', async () => {
  harness = await startWithCallers(CALLERS);
  const env = serverEnv(harness.simulator.url, { MCP_SESSION_ISOLATION: 'team' });
  await expect(startServer(env)).rejects.toThrow(/MCP_SESSION_ISOLATION: must be one of: none, owner/);
});
