import { ask, FIXTURES, say, together } from '../simulator/index.js';
import { callTool } from '../support/client.js';
import { type Harness, startHarness } from '../support/harness.js';

const agent_id = FIXTURES.agents.analyst;
const environment_id = FIXTURES.environments.cloud;

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness({ env: { ANTHROPIC_MAX_RETRIES: '1' } });
});
afterEach(() => {
  harness.simulator.scenarios.clear();
  harness.simulator.faults.clear();
});
afterAll(() => harness.close());

async function begin(args: Record<string, unknown> = {}): Promise<string> {
  const { data, text } = await callTool(harness.client, 'session_start', { agent_id, environment_id, ...args });
  expect(data.session_id ?? text).toMatch(/^sesn_/);
  await harness.simulator.settle();
  return data.session_id as string;
}

async function situation(session_id: string): Promise<Record<string, any>> {
  const answer = await callTool(harness.client, 'session_get', { session_id });
  expect(answer.isError ? answer.text : '').toBe('');
  expect(answer.text.length).toBeLessThanOrEqual(40_000);
  return answer.data;
}

async function askFor(input: Record<string, unknown>): Promise<Record<string, any>> {
  harness.simulator.scenarios.set(agent_id, [ask({ name: 'bash', input }), say('Done.')]);
  const { pending_actions } = await situation(await begin({ message: 'Go' }));
  return (pending_actions as Record<string, unknown>[])[0]!;
}

describe('pending actions', () => {
  it('shows a short input as it is', async () => {
    const action = await askFor({ command: 'ls', flags: [1, true, null] });
    expect(action).toMatchObject({ tool: 'bash', input: { command: 'ls', flags: [1, true, null] } });
    expect(action).not.toHaveProperty('input_truncated');
  });

  it('cuts the middle of a long one, so that nobody allows what stands at its end unseen', async () => {
    const action = await askFor({ command: `echo ${'a'.repeat(3000)}; rm -rf /` });
    expect(action).toMatchObject({ input_truncated: true, tool_use_id: expect.stringMatching(/^sevt_\w+$/) });
    expect(action.input).toMatch(/^\{"command":"echo a+…\[truncated \d+ chars\]a+; rm -rf \/"\}$/);
  });

  it('is readable however many values an input has', async () => {
    const action = await askFor({ numbers: Array(20_000).fill(1) });
    expect(action).toMatchObject({ input_truncated: true, tool_use_id: expect.stringMatching(/^sevt_\w+$/) });
  });

  it('counts all, and shows the first ten', async () => {
    const asks = Array.from({ length: 25 }, (_, index) =>
      ask({ name: 'bash', input: { command: `${index} ${'b'.repeat(2000)}` } }),
    );
    harness.simulator.scenarios.set(agent_id, [together(...asks), say('Done.')]);
    const { pending_actions, pending_count, stop_reason } = await situation(await begin({ message: 'Go' }));
    expect([(pending_actions as unknown[]).length, pending_count]).toEqual([10, 25]);
    expect((stop_reason as { event_ids: string[] }).event_ids).toHaveLength(25);
  });
});

it('is readable with 500 files attached', async () => {
  const file_ids = Array.from({ length: 500 }, (_, index) => `file_01${index}`);
  const { resources, resource_count } = await situation(await begin({ file_ids }));
  expect([(resources as unknown[]).length, resource_count]).toEqual([20, 500]);
});

describe('session_delete', () => {
  it('has deleted, also when the first answer was lost', async () => {
    const session_id = await begin();
    harness.simulator.faults.add({ method: 'DELETE', reset: 'after' });
    expect(await callTool(harness.client, 'session_delete', { session_id })).toMatchObject({
      isError: false,
      data: { deleted: true },
    });
  });

  it('of a session that never was is an error', async () => {
    expect(await callTool(harness.client, 'session_delete', { session_id: 'sesn_none' })).toMatchObject({
      isError: true,
    });
  });

  it('tells what to do about an open workflow run, without waiting for it to go away', async () => {
    const session_id = await begin();
    const error = { message: 'A workflow run is open.', details: { error_code: 'workflow_run_open' } };
    harness.simulator.faults.add({ method: 'DELETE', status: 400, error, times: Infinity });
    const before = harness.simulator.requests.length;
    const answer = await callTool(harness.client, 'session_delete', { session_id });
    expect(answer.text).toMatch(/A workflow run is open\. Tell the agent with session_message to stop/);
    expect(harness.simulator.requests.slice(before).filter(({ method }) => method === 'DELETE')).toHaveLength(1);
  });
});
