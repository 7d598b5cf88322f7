import { EventLogService } from '../../src/managed-agents/event-log.service.js';
import { parseSince } from '../../src/managed-agents/log/cursor-text.js';
import { ask, customTool, FIXTURES, say, together, tool, transientUnknownToolUse } from '../simulator/index.js';
import { answersSent, pendingCalls, sendDirectly, startWaiting, type WaitingSession } from '../support/calls.js';
import { callTool, type ToolAnswer } from '../support/client.js';
import { type Harness, startHarness } from '../support/harness.js';
import { auditLines } from '../support/stderr.js';

const { deployer, support, coordinator, analyst } = FIXTURES.agents;

let harness: Harness;
beforeEach(async () => {
  harness = await startHarness();
});
afterEach(() => harness.close());

const respond = (session_id: string, args: Record<string, unknown>): Promise<ToolAnswer> =>
  callTool(harness.client, 'session_respond', { session_id, ...args });
const waiting = (agent: string, environment?: string): Promise<WaitingSession> =>
  startWaiting(harness.client, harness.simulator, agent, environment);
const sent = (session_id: string) => answersSent(harness.simulator, session_id);
const settle = (session_id: string) => harness.simulator.settle(session_id);

describe('answers', () => {
  it('allow one call and say which ones still wait', async () => {
    const { session_id, calls } = await waiting(deployer);
    const { data } = await respond(session_id, { tool_use_id: calls[0], result: 'allow' });
    expect(data).toEqual({
      ok: true,
      session_id,
      result: 'allow',
      tool_use_ids: [calls[0]],
      still_pending: [calls[1]],
      next_since: expect.any(String),
      next_step: expect.stringContaining('session_wait(session_id, since=next_since)'),
    });
    expect(auditLines().at(-1)).toMatchObject({
      outcome: 'ok',
      channel: 'model',
      result: 'allow',
      tool_use_ids: [calls[0]],
      decisions: { [calls[0]!]: 'allow' },
    });
  });

  it('deny many in one send, with the reason for the agent', async () => {
    const { session_id, calls } = await waiting(deployer);
    const { data } = await respond(session_id, { tool_use_ids: calls, result: 'deny', deny_message: 'Not today.' });
    expect(data).toMatchObject({ result: 'deny', tool_use_ids: calls, still_pending: [] });
    const sends = harness.simulator.requests.filter(({ method, path }) => method === 'POST' && path.endsWith('events'));
    expect(sends).toHaveLength(1);
    expect(sent(session_id)).toEqual(
      calls.map((tool_use_id) => ({
        type: 'user.tool_confirmation',
        tool_use_id,
        result: 'deny',
        deny_message: 'Not today.',
      })),
    );
  });

  it('hand over a cursor that awaits the last of them, from before the send', async () => {
    const { session_id, calls } = await waiting(deployer);
    const { data } = await respond(session_id, { tool_use_ids: calls, result: 'allow' });
    expect(parseSince(session_id, data.next_since as string).awaited).toEqual(expect.any(Number));
    await settle(session_id);
    const after = await callTool(harness.client, 'session_events', { session_id, since: data.next_since });
    const types = (after.data.events as { type: string }[]).map(({ type }) => type);
    expect(types.slice(0, 2)).toEqual(['user.tool_confirmation', 'user.tool_confirmation']);
    expect(types).toContain('agent.message');
  });

  it('carry the result of a custom tool', async () => {
    const { session_id, calls } = await waiting(support);
    const { data } = await respond(session_id, { tool_use_id: calls[0], custom_result: { text: 'shipped' } });
    expect(data).toMatchObject({ ok: true, result: 'custom_result', tool_use_ids: calls, still_pending: [] });
    expect(sent(session_id)).toEqual([
      {
        type: 'user.custom_tool_result',
        custom_tool_use_id: calls[0],
        content: [{ type: 'text', text: 'shipped' }],
        is_error: false,
      },
    ]);
    await settle(session_id);
    const after = await callTool(harness.client, 'session_events', { session_id, types: ['agent.message'] });
    expect(after.text).toContain('Your order 1234: shipped');
  });

  it('carry the failure of a custom tool', async () => {
    const { session_id, calls } = await waiting(support);
    await respond(session_id, { tool_use_id: calls[0], custom_result: { text: 'no such order', is_error: true } });
    expect(sent(session_id)).toEqual([expect.objectContaining({ is_error: true })]);
  });

  it('reach a sub-agent, though the API refuses for a moment', async () => {
    const { session_id, calls } = await waiting(coordinator);
    harness.simulator.faults.add({ ...transientUnknownToolUse, times: 2 });
    const { data } = await respond(session_id, { tool_use_id: calls[0], result: 'allow' });
    expect(data).toMatchObject({ ok: true, tool_use_ids: calls });
    expect(sent(session_id)).toHaveLength(3);
    await settle(session_id);
    const after = await callTool(harness.client, 'session_get', { session_id });
    expect(after.data).toMatchObject({ turn: 'over', pending_actions: [] });
  });

  it('are given up when the API goes on refusing what the log shows waiting', async () => {
    const { session_id, calls } = await waiting(coordinator);
    harness.simulator.faults.add({ ...transientUnknownToolUse, times: Infinity });
    const { isError, text } = await respond(session_id, { tool_use_id: calls[0], result: 'allow' });
    expect(isError).toBe(true);
    expect(text).toMatch(/^The Managed Agents API refused the request \(send events\)/);
    expect(sent(session_id)).toHaveLength(4);
  });
});

describe('an answer given before', () => {
  it('does no harm when it is the same, and says so', async () => {
    const { session_id, calls } = await waiting(deployer);
    const first = await respond(session_id, { tool_use_id: calls[0], result: 'allow' });
    const again = await respond(session_id, { tool_use_ids: calls, result: 'allow' });
    expect(again.data).toMatchObject({ ok: true, tool_use_ids: [calls[1]], already_answered: [calls[0]] });
    const third = await respond(session_id, { tool_use_id: calls[0], result: 'allow' });
    expect(third.data).toMatchObject({ ok: true, tool_use_ids: [], already_answered: [calls[0]], still_pending: [] });
    expect(third.data.next_since).toBe(first.data.next_since);
    expect(sent(session_id)).toHaveLength(2);
  });

  it('stays when another one is given, and nothing else is sent', async () => {
    const { session_id, calls } = await waiting(deployer);
    await respond(session_id, { tool_use_id: calls[0], result: 'deny' });
    const other = await respond(session_id, { tool_use_ids: calls, result: 'allow' });
    expect(other.isError).toBe(true);
    expect(other.text).toBe(
      `Nothing was sent. ${calls[0]} was already answered with deny, which stays. Pending now: ${calls[1]} (tool_confirmation).`,
    );
    expect(sent(session_id)).toHaveLength(1);
    expect(auditLines().at(-1)).toMatchObject({ outcome: 'failed', reason: 'not_answerable', channel: 'model' });
  });

  it('is known from the log when another process gave it', async () => {
    const { session_id, calls } = await waiting(deployer);
    const confirmation = { type: 'user.tool_confirmation', tool_use_id: calls[0], result: 'allow' };
    await sendDirectly(harness.simulator, session_id, confirmation);
    const same = await respond(session_id, { tool_use_id: calls[0], result: 'allow' });
    expect(same.data).toMatchObject({ ok: true, tool_use_ids: [], already_answered: [calls[0]] });
    const other = await respond(session_id, { tool_use_id: calls[0], result: 'deny' });
    expect(other.text).toContain(`${calls[0]} was already answered with allow`);
    expect(sent(session_id)).toEqual([]);
  });

  it('is known from the log of an earlier turn', async () => {
    const { session_id, calls } = await waiting(deployer);
    const confirm = (id: string) => ({ type: 'user.tool_confirmation', tool_use_id: id, result: 'allow' });
    await sendDirectly(harness.simulator, session_id, ...calls.map(confirm));
    await callTool(harness.client, 'session_message', { session_id, text: 'Again' });
    await settle(session_id);
    const { text } = await respond(session_id, { tool_use_ids: calls, result: 'deny' });
    expect(text).toContain(`${calls[0]} was already answered with allow, which stays; ${calls[1]} was already`);
    expect(text).toMatch(/Pending now: sevt_\w+ \(tool_confirmation\), sevt_\w+ \(tool_confirmation\)\.$/);
  });

  it('of a custom tool is compared by its text', async () => {
    const { session_id, calls } = await waiting(support);
    const result = { type: 'user.custom_tool_result', custom_tool_use_id: calls[0] };
    await sendDirectly(harness.simulator, session_id, { ...result, content: [{ type: 'text', text: 'shipped' }] });
    const same = await respond(session_id, { tool_use_id: calls[0], custom_result: { text: 'shipped' } });
    expect(same.data).toMatchObject({ ok: true, already_answered: calls });
    const other = await respond(session_id, { tool_use_id: calls[0], custom_result: { text: 'lost' } });
    expect(other.text).toContain(`${calls[0]} was already answered with custom_result, which stays`);
    expect(sent(session_id)).toEqual([]);
  });

  it('by another process just before ours arrives is told truthfully', async () => {
    const { session_id, calls } = await waiting(deployer);
    const race = (result: string) => ({
      method: 'POST',
      path: /\/events$/,
      race: () => {
        const session = harness.simulator.world.sessions.get(session_id);
        session.inbox.accept([{ type: 'user.tool_confirmation', tool_use_id: calls[0], result }]);
      },
    });
    harness.simulator.faults.add(race('deny'));
    const other = await respond(session_id, { tool_use_id: calls[0], result: 'allow' });
    expect(other.text).toContain(`${calls[0]} was already answered with deny, which stays`);
  });
});

describe('a call that cannot be answered so', () => {
  it('waits for another kind of answer', async () => {
    const custom = await waiting(support);
    const allowed = await respond(custom.session_id, { tool_use_id: custom.calls[0], result: 'allow' });
    expect(allowed.text).toContain('waits for the result of a custom tool: answer it with custom_result');
    const asked = await waiting(deployer);
    const result = await respond(asked.session_id, { tool_use_id: asked.calls[0], custom_result: { text: 'x' } });
    expect(result.text).toContain(`${asked.calls[0]} waits for result allow or deny`);
    expect([...sent(custom.session_id), ...sent(asked.session_id)]).toEqual([]);
  });

  it('waits for the worker of its self-hosted environment', async () => {
    harness.simulator.scenarios.set(analyst, [tool({ name: 'bash', permission: 'allow' }), say('done')]);
    const { session_id, calls } = await waiting(analyst, FIXTURES.environments.selfHosted);
    const { text } = await respond(session_id, { tool_use_id: calls[0], result: 'allow' });
    expect(text).toBe(
      `Nothing was sent. ${calls[0]} waits for the worker of its self-hosted environment, not for a decision. Pending now: ${calls[0]} (tool_result).`,
    );
  });

  it('was never asked about, was stopped, or is unknown here', async () => {
    harness.simulator.scenarios.set(analyst, [
      tool({ name: 'bash', permission: 'allow' }),
      ask({ name: 'bash', input: { command: 'x' } }),
      say('done'),
    ]);
    const { session_id, calls } = await waiting(analyst);
    const other = await waiting(deployer);
    const events = await callTool(harness.client, 'session_events', { session_id, types: ['agent.tool_use'] });
    const free = (events.data.events as { id: string }[])[0]!.id;
    await callTool(harness.client, 'session_interrupt', { session_id });
    await settle(session_id);
    const tool_use_ids = [free, calls[0], other.calls[0]];
    const { text } = await respond(session_id, { tool_use_ids, result: 'allow' });
    expect(text).toBe(
      `Nothing was sent. ${free} was decided by the agent's own permission policy (allow); ${calls[0]} does not wait any more: it was stopped or its turn has ended; ${other.calls[0]} is no tool call of this session; it may belong to another one. No call of this session is pending now. Call session_get for the state of the session.`,
    );
    expect(sent(session_id)).toEqual([]);
  });

  it('keeps the others from being answered, too', async () => {
    harness.simulator.scenarios.set(analyst, [
      together(ask({ name: 'bash' }), customTool({ name: 'lookup', input: {} })),
      say('done'),
    ]);
    const { session_id, calls } = await waiting(analyst);
    const { text } = await respond(session_id, { tool_use_ids: calls, result: 'allow' });
    expect(text).toContain(`Pending now: ${calls[0]} (tool_confirmation), ${calls[1]} (custom_tool_result).`);
    expect(sent(session_id)).toEqual([]);
    expect(await pendingCalls(harness.client, session_id)).toEqual(calls);
  });
});

describe('many answers at once', () => {
  it('to one call are one answer upstream and 99 truthful replies', async () => {
    const { session_id, calls } = await waiting(deployer);
    const replies = await Promise.all(
      Array.from({ length: 100 }, () => respond(session_id, { tool_use_id: calls[0], result: 'allow' })),
    );
    expect(sent(session_id)).toHaveLength(1);
    expect(replies.filter(({ data }) => (data.tool_use_ids as string[]).length === 1)).toHaveLength(1);
    const repeated = replies.filter(({ data }) => (data.tool_use_ids as string[]).length === 0);
    expect(repeated).toHaveLength(99);
    for (const { data } of repeated) {
      expect(data).toMatchObject({ ok: true, already_answered: [calls[0]], still_pending: [calls[1]] });
    }
  });

  it('that contradict each other have one winner, and the losers learn who won', async () => {
    const { session_id, calls } = await waiting(deployer);
    const results = Array.from({ length: 100 }, (_, index) => (index % 2 === 0 ? 'allow' : 'deny'));
    const replies = await Promise.all(
      results.map(async (result) => ({ result, ...(await respond(session_id, { tool_use_id: calls[0], result })) })),
    );
    const [winner] = sent(session_id).map(({ result }) => result as string);
    expect(sent(session_id)).toHaveLength(1);
    for (const { result, isError, text, data } of replies) {
      expect(isError).toBe(result !== winner);
      if (isError) expect(text).toContain(`${calls[0]} was already answered with ${winner}, which stays`);
      else
        expect([...(data.tool_use_ids as string[]), ...((data.already_answered ?? []) as string[])]).toEqual([
          calls[0],
        ]);
    }
  });

  it('are not sent twice although the list of events lags behind', async () => {
    const { session_id, calls } = await waiting(deployer);
    const log = harness.server.app.get(EventLogService, { strict: false });
    const stale = await log.calls(session_id, calls);
    jest.spyOn(log, 'calls').mockResolvedValue(stale);
    jest.spyOn(log, 'situation').mockResolvedValue(stale.situation);
    await respond(session_id, { tool_use_id: calls[0], result: 'allow' });
    const again = await respond(session_id, { tool_use_ids: calls, result: 'allow' });
    expect(again.data).toMatchObject({ already_answered: [calls[0]], tool_use_ids: [calls[1]], still_pending: [] });
    expect(sent(session_id)).toHaveLength(2);
  });
});

describe('an answer whose outcome is not known', () => {
  it.each(['before', 'after'] as const)('is looked up by the next attempt (lost %s the API took it)', async (reset) => {
    const { session_id, calls } = await waiting(deployer);
    harness.simulator.faults.add({ method: 'POST', path: /\/events$/, reset });
    const first = await respond(session_id, { tool_use_id: calls[0], result: 'allow' });
    expect(first.text).toContain('may or may not have taken effect');
    await settle(session_id);
    const second = await respond(session_id, { tool_use_id: calls[0], result: 'allow' });
    const known = reset === 'after' ? { tool_use_ids: [], already_answered: [calls[0]] } : { tool_use_ids: [calls[0]] };
    expect(second.data).toMatchObject({ ok: true, ...known });
  });
});

it.each([
  [{ result: 'allow' }, /^tool_use_id or tool_use_ids is required/],
  [{ tool_use_id: 'sevt_1' }, /^result is required: allow or deny, or custom_result/],
  [{ tool_use_id: 'sevt_1', result: 'allow', custom_result: { text: 'x' } }, /cannot be combined/],
  [{ tool_use_id: 'sevt_1', result: 'allow', deny_message: 'x' }, /^deny_message goes only with result "deny"/],
  [{ tool_use_id: 'sevt_1', custom_result: { text: 'x' }, deny_message: 'x' }, /^deny_message goes only/],
  [{ tool_use_id: 'sevt_1', custom_result: { is_error: true } }, /custom_result.text is required/],
])('refuses %j before anything is sent', async (args, message) => {
  const { isError, text } = await respond('sesn_1', args);
  expect(isError).toBe(true);
  expect(text.replace('Invalid parameters: ', '')).toMatch(message);
  expect(harness.simulator.requests).toEqual([]);
});

it('says that a session does not exist', async () => {
  const { text } = await respond('sesn_1', { tool_use_id: 'sevt_1', result: 'allow' });
  expect(text).toMatch(/^Not found/);
});
