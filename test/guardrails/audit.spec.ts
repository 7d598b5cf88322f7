import { FIXTURES } from '../simulator/index.js';
import { callTool } from '../support/client.js';
import { type Harness, startHarness } from '../support/harness.js';
import { TOKEN } from '../support/server.js';
import { auditLines, stderrText } from '../support/stderr.js';

const agent_id = FIXTURES.agents.deployer;
const environment_id = FIXTURES.environments.locked;
const SECRET = 'the-words-of-the-user-stay-private';

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness({ env: { MCP_LOG_LEVEL: 'trace', MCP_ALLOW_DESTRUCTIVE: 'false' } });
});
afterAll(() => harness.close());

it('records each call in one line: who, what, on which things, how it ended, how long, which request upstream', async () => {
  const { data } = await callTool(harness.client, 'session_start', { agent_id, environment_id });
  expect(auditLines()).toEqual([
    {
      audit: 'session_start',
      schema: 1,
      id: expect.stringMatching(/^[\da-f-]{36}$/),
      request_id: expect.stringMatching(/^[\da-f-]{36}$/),
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      outcome: 'ok',
      decision: 'allowed',
      principal: 'static-bearer',
      issuer: 'bearer',
      agent_id,
      environment_id,
      session_id: data.session_id,
      duration_ms: expect.any(Number),
      upstream_request_id: expect.stringMatching(/^req_/),
      client: 'test',
      client_version: '1',
      protocol_version: '2026-07-28',
      user_agent: expect.any(String),
    },
  ]);
});

it('records reads, refusals, failures and bad arguments', async () => {
  await callTool(harness.client, 'agent_list');
  await callTool(harness.client, 'session_delete', { session_id: 'sesn_1' });
  await callTool(harness.client, 'session_get', { session_id: 'sesn_unknown' });
  await callTool(harness.client, 'session_get', { session_id: '../etc' });
  await callTool(harness.client, 'session_events', { session_id: 'sesn_1', since: 'garbage' });
  expect(auditLines().map(({ audit, outcome, reason }) => [audit, outcome, reason])).toEqual([
    ['agent_list', 'ok', undefined],
    ['session_delete', 'refused', 'destructive'],
    ['session_get', 'failed', 'not_found_error'],
    ['session_get', 'invalid', 'arguments'],
    ['session_events', 'invalid', 'cursor'],
  ]);
});

it('records what a call decided about approvals', async () => {
  const tool_use_ids = ['sevt_1', 'sevt_2'];
  await callTool(harness.client, 'session_respond', {
    session_id: 'sesn_1',
    tool_use_ids,
    result: 'deny',
    deny_message: SECRET,
  });
  expect(auditLines()).toEqual([expect.objectContaining({ tool_use_ids, result: 'deny', session_id: 'sesn_1' })]);
});

it('holds no text of messages, no arguments that are no ids, no key and no token, at any log level', async () => {
  const { data } = await callTool(harness.client, 'session_start', {
    agent_id,
    environment_id,
    message: SECRET,
    title: SECRET,
  });
  await callTool(harness.client, 'session_message', { session_id: data.session_id, text: SECRET });
  await callTool(harness.client, 'session_interrupt', { session_id: data.session_id, then_message: SECRET });
  await callTool(harness.client, 'session_get', { session_id: `${SECRET} with spaces` });
  await callTool(harness.client, 'agent_get', { agent_id: { [SECRET]: SECRET } });
  harness.simulator.faults.add({ path: /agents/, status: 400, error: { message: 'invalid' } });
  await callTool(harness.client, 'agent_get', { agent_id });
  expect(auditLines().length).toBe(6);
  for (const secret of [SECRET, TOKEN, 'sk-ant-test-canary']) expect(stderrText()).not.toContain(secret);
});
