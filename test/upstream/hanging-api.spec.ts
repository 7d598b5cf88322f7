import { FIXTURES } from '../simulator/index.js';
import { callsOf } from '../guardrails/calls.js';
import { TOOL_NAMES, TOOL_TABLE } from '../guardrails/tool-table.js';
import { callTool } from '../support/client.js';
import { type Harness, startHarness } from '../support/harness.js';
import { auditLines } from '../support/stderr.js';

const START = { agent_id: FIXTURES.agents.analyst, environment_id: FIXTURES.environments.cloud };
/** One attempt would take longer than any test. */
const HANGS = { delayMs: 3_600_000, times: Infinity };

let harness: Harness;
let session: string;
const start = async (env: Record<string, string>) => {
  harness = await startHarness({ env: { MCP_LOG_LEVEL: 'fatal', ...env } });
  const { data } = await callTool(harness.client, 'session_start', START);
  session = data.session_id as string;
};
afterEach(async () => {
  harness.simulator.faults.clear();
  await harness.close();
});

const argumentsOf = (tool: string): object => {
  const { names } = TOOL_TABLE[tool]!;
  if (names.includes('session')) return callsOf(tool, { session_id: session })[0]!;
  if (tool === 'session_start') return { ...START, message: 'work' };
  return Object.fromEntries(names.filter(() => tool.endsWith('_get')).map((kind) => [`${kind}_id`, `${kind}_1`]));
};

it('every tool answers within the time of a call, and says why', async () => {
  await start({ MCP_CALL_TIMEOUT_SECONDS: '1', ANTHROPIC_TIMEOUT_SECONDS: '600', MCP_WAIT_MAX_SECONDS: '1' });
  harness.simulator.faults.add(HANGS);
  const answers = await Promise.all(
    TOOL_NAMES.map(async (tool) => ({ tool, ...(await callTool(harness.client, tool, { ...argumentsOf(tool) })) })),
  );
  const unexplained = answers.filter(
    ({ isError, text }) => !isError || !text.includes('API did not answer within the time'),
  );
  // These have an answer of their own: what could be examined, and what is known of the session.
  expect(unexplained.filter(({ tool }) => !['approval_list', 'session_wait'].includes(tool))).toEqual([]);
  const lines = auditLines().filter(({ reason }) => reason === 'timeout' || reason === 'uncertain');
  expect(lines.length).toBeGreaterThanOrEqual(TOOL_NAMES.length - 2);
});

it('retries and the pauses between them end with the call', async () => {
  await start({ MCP_CALL_TIMEOUT_SECONDS: '2', ANTHROPIC_TIMEOUT_SECONDS: '1', ANTHROPIC_MAX_RETRIES: '10' });
  harness.simulator.faults.add(HANGS);
  const before = harness.simulator.requests.length;
  const { text } = await callTool(harness.client, 'agent_list');
  expect(text).toMatch(/did not answer within the time of a tool call \(list agents\)/);
  const attempts = harness.simulator.requests.length - before;
  expect(attempts).toBeGreaterThanOrEqual(1);
  expect(attempts).toBeLessThan(11);
  // Nothing of the call goes on after its answer.
  harness.simulator.faults.clear();
  expect((await callTool(harness.client, 'agent_list')).isError).toBe(false);
  expect(harness.simulator.requests.length - before).toBe(attempts + 1);
});

describe('the sentence names what may have taken effect', () => {
  beforeEach(() => start({ MCP_CALL_TIMEOUT_SECONDS: '1', ANTHROPIC_TIMEOUT_SECONDS: '600' }));

  it.each([
    [
      'session_start',
      /within the time of a tool call \(create session\), so the call may or may not have taken effect: the session may have been started\. Call session_list before/,
    ],
    [
      'session_message',
      /within the time of a tool call \(send events\), so the call may or may not have taken effect: the session may have received it\. Call session_events before/,
    ],
    [
      'session_update',
      /within the time of a tool call \(update session\)\. It may have taken effect; calling it again does no harm\./,
    ],
  ])('%s', async (tool, sentence) => {
    harness.simulator.faults.add({ method: 'POST', ...HANGS });
    const before = harness.simulator.requests.filter(({ method }) => method === 'POST').length;
    const { isError, text } = await callTool(harness.client, tool, { ...argumentsOf(tool) });
    expect({ isError, text }).toEqual({ isError: true, text: expect.stringMatching(sentence) });
    expect(harness.simulator.requests.filter(({ method }) => method === 'POST')).toHaveLength(before + 1);
  });
});
