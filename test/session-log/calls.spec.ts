/** Which calls wait, and for whom, through the whole server. */
import {
  ask,
  customTool,
  FIXTURES,
  say,
  type Scenario,
  spawnThread,
  together,
  wait,
  type Step,
} from '../simulator/index.js';
import { pendingCalls } from '../support/calls.js';
import { callTool } from '../support/client.js';
import { eventually } from '../support/eventually.js';
import { type Harness, type HarnessOptions, startHarness } from '../support/harness.js';

const agent_id = FIXTURES.agents.analyst;
const environment_id = FIXTURES.environments.cloud;
const bash = { name: 'bash', input: { command: 'ls' } };
const lookup = customTool({ name: 'lookup', input: { n: 1 } });
/** Far above what any of these waits takes, and far below the time-out of a test. */
const timeout_seconds = 30;

let harness: Harness;
afterEach(() => harness.close());

const call = async (name: string, args: Record<string, unknown>): Promise<Record<string, any>> => {
  const { isError, text, data } = await callTool(harness.client, name, args);
  expect(isError ? text : '').toBe('');
  return data;
};

async function startWith(scenario: Scenario, simulator: HarnessOptions['simulator'] = {}) {
  harness = await startHarness({ simulator });
  harness.simulator.scenarios.set(agent_id, scenario);
  return call('session_start', { agent_id, environment_id, message: 'Go' });
}

const waitFor = ({ session_id, next_since: since }: Record<string, any>) =>
  call('session_wait', { session_id, since, timeout_seconds });
const kindsOf = ({ pending_actions }: Record<string, any>) =>
  (pending_actions as { kind: string }[]).map(({ kind }) => kind);

describe('a wait collects the calls of one step', () => {
  it('of the agent itself, until the idle that names them, and says what fits each kind', async () => {
    const data = await waitFor(await startWith([together(ask(bash), lookup, ask(bash)), say('ok')]));
    expect(data).toMatchObject({ reason: 'action_required', status: 'idle', turn: 'requires_action' });
    expect(kindsOf(data)).toEqual(['tool_confirmation', 'custom_tool_result', 'tool_confirmation']);
    expect(data.next_step).toMatch(/allow or deny them with session_respond.*session_respond and custom_result/);
    expect(data.next_step).not.toMatch(/sub-agent|self-hosted/);
  });

  it('of the agent itself, when no idle follows, and does not take them for those of a sub-agent', async () => {
    const data = await waitFor(await startWith([together(ask(bash), lookup), say('ok')], { callLeadMs: 120_000 }));
    expect(data).toMatchObject({ reason: 'action_required', status: 'running' });
    expect(kindsOf(data)).toEqual(['tool_confirmation', 'custom_tool_result']);
    expect(data.next_step).toMatch(/^The agent waits for an answer.*custom_result/);
    expect(data.next_step).not.toContain('sub-agent');
  });

  it('of two sub-agents that ask shortly after each other while the session runs', async () => {
    const helper = (agentName: string, ...steps: Step[]) =>
      spawnThread({ agentName, message: 'help', steps, join: false });
    const data = await waitFor(
      await startWith([helper('one', ask(bash)), helper('two', wait(300), lookup), wait(120_000), say('ok')]),
    );
    expect(data).toMatchObject({ reason: 'action_required', status: 'running' });
    expect(kindsOf(data)).toEqual(['tool_confirmation', 'custom_tool_result']);
    expect(data.next_step).toMatch(/^The agent is working, but a call of a sub-agent is pending.*custom_result/);
  });
});

it.each([
  ['no ids', []],
  ['none at all', undefined],
  ['ids that cannot be read', [null, 7, '', 'not an id', {}]],
])('an agent that waits, and its idle names %s: it is not known for what', async (_what, event_ids) => {
  const started = await startWith([say('ok')]);
  const session = harness.simulator.world.sessions.get(started.session_id as string);
  await harness.simulator.settle(session.id);
  const stop_reason = { type: 'requires_action', ...(event_ids && { event_ids }) };
  session.appendRaw({ id: 'sevt_odd', type: 'session.status_idle', processed_at: '2099-01-01T00:00:00Z', stop_reason });
  const data = await waitFor(started);
  expect(data).toMatchObject({ reason: 'action_required', turn: 'requires_action' });
  expect(data).not.toHaveProperty('pending_actions');
  expect(data.next_step).toMatch(/its log does not show for what.*session_get again.*session_events/);
  expect(data.next_step).not.toMatch(/self-hosted|session_respond/);
  const { session_id } = started;
  expect(await call('session_get', { session_id })).toMatchObject({ pending_actions: [], next_step: data.next_step });
});

describe("an answered call of a sub-agent is not pending again while the session's idle still names it", () => {
  const delegate = (asks: Step): Scenario => [
    spawnThread({ agentName: 'helper', message: 'help', steps: [asks, wait(1500), say('found')] }),
    say('All done.'),
  ];

  it.each([
    ['allowed', ask(bash), { result: 'allow' }],
    ['denied', ask(bash), { result: 'deny', deny_message: 'no' }],
    ['given a result', lookup, { custom_result: { text: 'shipped' } }],
  ] as const)('%s', async (_, asks, answer) => {
    const started = await startWith(delegate(asks));
    const { session_id } = started;
    const asked = await waitFor(started);
    expect(asked).toMatchObject({ reason: 'action_required', status: 'idle' });
    const { tool_use_id, session_thread_id } = asked.pending_actions[0];
    expect(session_thread_id).toMatch(/^sthr_/);
    const answered = await call('session_respond', { session_id, tool_use_id, ...answer });
    const { log } = harness.simulator.world.sessions.get(session_id as string);
    const idles = () => log.events.filter(({ type }) => type === 'session.status_idle');
    await eventually('idles of the session', idles, ({ length }) => length === 2);
    expect(idles().at(-1)).toMatchObject({ stop_reason: { type: 'requires_action', event_ids: [tool_use_id] } });
    expect(await call('session_get', { session_id })).toMatchObject({ turn: 'queued', pending_actions: [] });
    expect((await call('approval_list', {})).approvals).toEqual([]);
    expect(await waitFor({ ...answered, session_id })).toMatchObject({
      reason: 'turn_over',
      final_message: 'All done.',
    });
  });
});

describe('answers', () => {
  it('given out of order: the wait returns for the call that is left, then for the end', async () => {
    const started = await startWith([together(lookup, customTool({ name: 'lookup', input: { n: 2 } })), say('both')]);
    const { session_id } = started;
    await waitFor(started);
    const [first, second] = await pendingCalls(harness.client, session_id as string);
    const early = await call('session_respond', {
      session_id,
      tool_use_id: second,
      custom_result: { text: 'two' },
    });
    const left = await waitFor({ ...early, session_id });
    expect(left).toMatchObject({ reason: 'action_required', pending_actions: [{ tool_use_id: first }] });
    expect(left.pending_actions).toHaveLength(1);
    const last = await call('session_respond', { session_id, tool_use_id: first, custom_result: { text: 'one' } });
    expect(await waitFor({ ...last, session_id })).toMatchObject({ reason: 'turn_over', final_message: 'both' });
  });

  it('and messages whose receipts have other ids do not hold up a wait', async () => {
    harness = await startHarness({ simulator: { serialization: { receiptIds: 'different' } } });
    harness.simulator.scenarios.set(agent_id, [ask(bash), say('ok')]);
    const { session_id } = await call('session_start', { agent_id, environment_id });
    const sent = await call('session_message', { session_id, text: 'Go' });
    const asked = await waitFor({ ...sent, session_id });
    expect(asked).toMatchObject({ reason: 'action_required', status: 'idle' });
    const { tool_use_id } = asked.pending_actions[0];
    const answered = await call('session_respond', { session_id, tool_use_id, result: 'allow' });
    expect(await waitFor({ ...answered, session_id })).toMatchObject({ reason: 'turn_over', final_message: 'ok' });
  });
});
