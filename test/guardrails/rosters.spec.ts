import { FIXTURES } from '../simulator/index.js';
import { callTool } from '../support/client.js';
import { type Harness, startHarness } from '../support/harness.js';
import { auditLines } from '../support/stderr.js';

const { coordinator, researcher, analyst } = FIXTURES.agents;
const LIST = { MCP_ALLOWLIST_AGENTS_ACTIVE: 'true' };
const CHECK = { ...LIST, MCP_ALLOWLIST_ROSTERS: 'check' };

let harness: Harness;
afterEach(() => harness.close());

const call = (tool: string, args: object = {}) => callTool(harness.client, tool, args as Record<string, unknown>);
const start = (agent_id: string) =>
  call('session_start', { agent_id, environment_id: FIXTURES.environments.cloud, message: 'work' });
const started = () =>
  harness.simulator.requests.filter(({ method, path }) => method === 'POST' && path === '/v1/sessions').length;
/** A session that somebody started elsewhere. */
const elsewhere = (agent: string) =>
  harness.simulator.world.sessions.create({ agent, environment_id: FIXTURES.environments.cloud }).id;
describe('MCP_ALLOWLIST_ROSTERS=check', () => {
  const REFUSED = /^This agent may delegate to an agent that is not allowed here: MCP_ALLOWLIST_ROSTERS=check/;

  it('starts no agent whose roster names one that is not on the list, and closes its sessions', async () => {
    harness = await startHarness({ env: { ...CHECK, MCP_ALLOWED_AGENT_IDS: `${coordinator},${analyst}` } });
    const before = started();
    expect(await start(coordinator)).toMatchObject({ isError: true, text: expect.stringMatching(REFUSED) });
    expect(started()).toBe(before);
    expect(auditLines().at(-1)).toMatchObject({ outcome: 'refused', reason: 'agent_allowlist' });

    const session_id = elsewhere(coordinator);
    for (const [tool, args] of [
      ['session_get', {}],
      ['session_message', { text: 'hello' }],
      ['session_respond', { tool_use_id: 'sevt_1', result: 'allow' }],
    ] as const) {
      const answer = await call(tool, { session_id, ...args });
      expect(answer).toMatchObject({
        isError: true,
        text: expect.stringMatching(/^Session not found or not accessible/),
      });
    }
    expect(auditLines().at(-1)).toMatchObject({ outcome: 'refused', reason: 'agent_allowlist' });
    const listed = (await call('session_list')).data.sessions as { id: string }[];
    expect(listed.map(({ id }) => id)).not.toContain(session_id);
    expect((await start(analyst)).isError).toBe(false);
  });

  it('reads the newer shape of rosters', async () => {
    harness = await startHarness({ env: { ...CHECK, MCP_ALLOWED_AGENT_IDS: 'agent_newer' } });
    harness.simulator.world.agents.create({
      id: 'agent_newer',
      name: 'newer',
      model: 'claude-opus-4-6',
      multiagent: {
        type: 'multiagent_20261001',
        subagents: { type: 'enabled', predefined_agents: [{ type: 'agent', id: researcher }] },
      },
    });
    expect(await start('agent_newer')).toMatchObject({ isError: true, text: expect.stringMatching(REFUSED) });
    const answer = await call('session_get', { session_id: elsewhere('agent_newer') });
    expect(answer.text).toMatch(/^Session not found or not accessible/);
  });

  it('lets an agent delegate to agents that are on the list', async () => {
    harness = await startHarness({ env: { ...CHECK, MCP_ALLOWED_AGENT_IDS: `${coordinator},${researcher}` } });
    const { isError, data } = await start(coordinator);
    expect(isError).toBe(false);
    expect((await call('session_get', { session_id: data.session_id })).isError).toBe(false);
  });

  it('answers for an agent that does not exist as the API does', async () => {
    harness = await startHarness({ env: { ...CHECK, MCP_ALLOWED_AGENT_IDS: 'agent_none' } });
    expect((await start('agent_none')).text).toMatch(/^Not found \(create session\)/);
  });
});

it('trusts rosters by default, and reads no agent for a start', async () => {
  harness = await startHarness({ env: { ...LIST, MCP_ALLOWED_AGENT_IDS: coordinator } });
  expect((await start(coordinator)).isError).toBe(false);
  expect((await call('session_get', { session_id: elsewhere(coordinator) })).isError).toBe(false);
  expect(harness.simulator.requests.filter(({ path }) => path.startsWith('/v1/agents/'))).toEqual([]);
});
