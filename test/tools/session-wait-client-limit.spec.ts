import { FIXTURES } from '../simulator/index.js';
import { callTool } from '../support/client.js';
import { type Harness, startHarness } from '../support/harness.js';
import { call, callAtForms, send } from '../support/rpc.js';

let harness: Harness;
let session_id: string;
beforeAll(async () => {
  harness = await startHarness({ simulator: { agentPace: 'manual' }, env: { MCP_LOG_LEVEL: 'fatal' } });
  const start = { agent_id: FIXTURES.agents.analyst, environment_id: FIXTURES.environments.cloud, message: 'Go' };
  session_id = (await callTool(harness.client, 'session_start', start)).data.session_id as string;
  harness.simulator.step(session_id);
});
afterAll(() => harness.close());

const waitFor = async (prefer: string, args: object = {}) => {
  const body = call('tools/call', { name: 'session_wait', arguments: { session_id, ...args } });
  const answer = await send(harness.server.url, { body, headers: { prefer } });
  return answer.json.result.structuredContent as { reason: string; note?: string };
};

const SHORTENED = 'timeout_seconds can be 1 to 1 here; 1 was used.';

it.each(['wait=2', 'respond-async, wait=2', 'WAIT="2"; x=y'])(
  'answers before a client that says "%s" gives up, and says so',
  async (prefer) => {
    const { reason, note } = await waitFor(prefer, { timeout_seconds: 30 });
    expect([reason, note]).toEqual(['timeout', expect.stringContaining(SHORTENED)]);
  },
);

it.each(['wait=soon', 'wait=-1', 'return=minimal', 'wait=9999'])('"%s" changes nothing', async (prefer) => {
  const { note } = await waitFor(prefer, { timeout_seconds: 1 });
  expect(note).toBeUndefined();
});

it('reads the header of 2026-07-28 requests as well', async () => {
  const answer = await callAtForms(
    harness.server.url,
    'session_wait',
    { arguments: { session_id, timeout_seconds: 30 } },
    { prefer: 'wait=2' },
  );
  expect(answer.json.result.structuredContent).toMatchObject({ note: expect.stringContaining(SHORTENED) });
});
