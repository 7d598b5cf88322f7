import { allTools } from '../../docs/generate/tools.js';
import { TIERS } from '../../src/config/tiers.js';
import { FIXTURES } from '../simulator/index.js';
import { callTool, connectStdio } from '../support/client.js';
import { type Harness, startHarness } from '../support/harness.js';
import { serverEnv } from '../support/server.js';
import { auditLines } from '../support/stderr.js';

const { analyst, deployer } = FIXTURES.agents;
const { cloud, locked } = FIXTURES.environments;
const namesOf = (...tiers: string[]) =>
  allTools()
    .filter(({ tier }) => tiers.includes(tier))
    .map(({ name }) => name);
const READING = namesOf('discover', 'observe');
const ALL = namesOf(...TIERS);
const WITHOUT_DESTRUCTIVE = namesOf(...TIERS.filter((tier) => tier !== 'destructive'));

let harness: Harness;
afterEach(() => harness.close());

const start = (agent_id: string, environment_id: string) =>
  callTool(harness.client, 'session_start', { agent_id, environment_id });
const names = async () => (await harness.client.listTools()).tools.map((tool) => tool.name);
const posts = () => harness.simulator.requests.filter(({ method }) => method !== 'GET');

it('everything is open by default', async () => {
  harness = await startHarness();
  expect(await names()).toEqual(ALL);
  expect((await start(analyst, cloud)).isError).toBe(false);
});

it.each(['session_archive', 'session_delete'])('MCP_ALLOW_DESTRUCTIVE=false hides and refuses %s', async (tool) => {
  harness = await startHarness({ env: { MCP_ALLOW_DESTRUCTIVE: 'false' } });
  expect(await names()).toEqual(WITHOUT_DESTRUCTIVE);
  const answer = await callTool(harness.client, tool, { session_id: 'sesn_1' });
  expect(answer).toMatchObject({
    isError: true,
    text: expect.stringMatching(/disabled on this server \(MCP_ALLOW_DESTRUCTIVE=false\)/),
  });
  expect(posts()).toEqual([]);
  expect(auditLines()).toEqual([
    expect.objectContaining({ audit: tool, outcome: 'refused', reason: 'destructive', session_id: 'sesn_1' }),
  ]);
});

it('MCP_READ_ONLY=true leaves discover and observe alone', async () => {
  harness = await startHarness({ env: { MCP_READ_ONLY: 'yes' } });
  expect(await names()).toEqual(READING);
  for (const [tool, args] of [
    ['session_start', { agent_id: analyst, environment_id: cloud }],
    ['session_message', { session_id: 'sesn_1', text: 'hi' }],
    ['session_interrupt', { session_id: 'sesn_1' }],
    ['session_respond', { session_id: 'sesn_1', tool_use_id: 'sevt_1', result: 'allow' }],
    ['session_update', { session_id: 'sesn_1', title: 'x' }],
    ['session_archive', { session_id: 'sesn_1' }],
    ['session_delete', { session_id: 'sesn_1' }],
  ] as const) {
    expect(await callTool(harness.client, tool, args)).toMatchObject({
      isError: true,
      text: expect.stringMatching(/read-only/),
    });
  }
  expect(posts()).toEqual([]);
});

it('the agent allowlist bounds what may be started', async () => {
  harness = await startHarness({
    env: { MCP_ALLOWLIST_AGENTS_ACTIVE: 'on', MCP_ALLOWED_AGENT_IDS: ` ${deployer} , agent_other` },
  });
  expect((await start(deployer, locked)).isError).toBe(false);
  expect(await start(analyst, cloud)).toMatchObject({
    isError: true,
    text: expect.stringMatching(/MCP_ALLOWED_AGENT_IDS.*ask the operator/),
  });
  expect(posts()).toHaveLength(1);
  expect(auditLines().at(-1)).toMatchObject({ outcome: 'refused', reason: 'agent_allowlist', agent_id: analyst });
});

it('listing agents without switching the allowlist on changes nothing, as in the Python server', async () => {
  harness = await startHarness({ env: { MCP_ALLOWED_AGENT_IDS: deployer } });
  expect((await start(analyst, cloud)).isError).toBe(false);
});

it('an active agent allowlist without agents allows none', async () => {
  harness = await startHarness({ env: { MCP_ALLOWLIST_AGENTS_ACTIVE: 'true' } });
  expect((await start(analyst, cloud)).isError).toBe(true);
});

it('the environment allowlist holds whenever it is set', async () => {
  harness = await startHarness({ env: { MCP_ALLOWED_ENVIRONMENT_IDS: locked } });
  expect((await start(analyst, locked)).isError).toBe(false);
  expect(await start(analyst, cloud)).toMatchObject({
    isError: true,
    text: expect.stringMatching(/MCP_ALLOWED_ENVIRONMENT_IDS/),
  });
  expect(auditLines().at(-1)).toMatchObject({
    outcome: 'refused',
    reason: 'environment_allowlist',
    environment_id: cloud,
  });
});

it('the first rule that refuses is the one that is told', async () => {
  harness = await startHarness({
    env: { MCP_READ_ONLY: 'true', MCP_ALLOWLIST_AGENTS_ACTIVE: 'true', MCP_ALLOWED_ENVIRONMENT_IDS: locked },
  });
  expect((await start(analyst, cloud)).text).toMatch(/read-only/);
});

it('guards stdio as well', async () => {
  harness = await startHarness();
  const { client, stderr } = await connectStdio(serverEnv(harness.simulator.url, { MCP_ALLOW_DESTRUCTIVE: '0' }));
  expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(WITHOUT_DESTRUCTIVE);
  expect((await callTool(client, 'session_delete', { session_id: 'sesn_1' })).text).toMatch(
    /MCP_ALLOW_DESTRUCTIVE=false/,
  );
  await client.close();
  expect(auditLines(stderr())).toEqual([expect.objectContaining({ outcome: 'refused', principal: 'local' })]);
});
