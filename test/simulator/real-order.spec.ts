/** The order of events, and what stands between client and API, as recorded from the real one in autumn 2026. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { allow, deny, Harness, message } from './harness.js';
import { ask, customTool, RealClock, say, type Scenario, spawnThread, together, tool } from './index.js';

let harness: Harness;
afterEach(() => harness.close());

const pending = async (sid: string): Promise<string[]> => {
  const idle = (await harness.events(sid)).findLast(({ type }) => type === 'session.status_idle');
  return (idle?.stop_reason as { event_ids?: string[] }).event_ids ?? [];
};
const result = (custom_tool_use_id: string, text = 'shipped') => ({
  type: 'user.custom_tool_result' as const,
  custom_tool_use_id,
  content: [{ type: 'text' as const, text }],
});

describe('the answer to a call of a child', () => {
  const delegate = (call: ReturnType<typeof ask> | ReturnType<typeof customTool>): Scenario => [
    spawnThread({ agentName: 'helper', message: 'help', steps: [call, say('found')] }),
    say('All done.'),
  ];
  const recorded = (name: string): string[] => {
    const path = join(__dirname, `../fixtures/logs/${name}.json`);
    return (JSON.parse(readFileSync(path, 'utf8')) as { events: { type: string }[] }).events.map(({ type }) => type);
  };

  it.each([
    ['sub-agent-allowed-stale-idle', ask({ name: 'bash' }), allow],
    ['sub-agent-denied-stale-idle', ask({ name: 'bash' }), deny],
    ['sub-agent-custom-stale-idle', customTool({ name: 'find' }), result],
  ] as const)('makes the session idle once more with the call just answered: %s', async (name, call, answer) => {
    harness = await Harness.start({}, delegate(call));
    const sid = await harness.session('go');
    const [id] = await pending(sid);
    const before = (await harness.types(sid)).length;
    await harness.sendAndSettle(sid, answer(id!));
    const events = (await harness.events(sid)).slice(before);
    const idles = events.filter(({ type }) => type === 'session.status_idle');
    expect(idles.map(({ stop_reason }) => stop_reason)).toEqual([
      { type: 'requires_action', event_ids: [id] },
      { type: 'end_turn' },
    ]);
    const types = recorded(name);
    const stale = types.slice(
      types.findIndex((type) => type.startsWith('user.') && type !== 'user.message') - 2,
      types.lastIndexOf('session.status_running') - 1,
    );
    expect(events.map(({ type }) => type).slice(0, stale.length)).toEqual(stale);
  });

  it('does not where that is switched off', async () => {
    harness = await Harness.start({ serialization: { staleIdle: false } }, delegate(ask({ name: 'bash' })));
    const sid = await harness.session('go');
    const before = (await harness.types(sid)).length;
    await harness.sendAndSettle(sid, allow((await pending(sid))[0]!));
    const types = (await harness.types(sid)).slice(before);
    expect(types.filter((type) => type === 'session.status_idle')).toHaveLength(1);
  });
});

it('calls are listed 200 ms before the idle that names them, by the real clock', async () => {
  harness = await Harness.start({ clock: new RealClock() }, [ask({ name: 'bash' }), say('ok')]);
  const events = await harness.events(await harness.session('go'));
  const [call, idle] = ['agent.tool_use', 'session.status_idle'].map((wanted) =>
    Date.parse(events.find(({ type }) => type === wanted)!.processed_at!),
  );
  expect(idle! - call!).toBeGreaterThanOrEqual(195);
});

it('a call that is answered before its idle makes none', async () => {
  harness = await Harness.start({ callLeadMs: 300 }, [ask({ name: 'bash' }), say('ok')]);
  const sid = await harness.session('go');
  const call = (await harness.events(sid)).find(({ type }) => type === 'agent.tool_use')!;
  expect(await harness.types(sid)).not.toContain('session.status_idle');
  await harness.sendAndSettle(sid, allow(call.id));
  harness.clock.advance(300);
  await harness.sim.settle();
  expect((await harness.types(sid)).filter((type) => type === 'session.status_idle')).toHaveLength(1);
});

describe.each(['calls', 'arrival'] as const)('results of two custom calls, processed in the order of %s', (order) => {
  it('wait for those of earlier calls, or not', async () => {
    harness = await Harness.start({ serialization: { answerOrder: order } }, [
      together(customTool({ name: 'a' }), customTool({ name: 'b' })),
      say('ok'),
    ]);
    const sid = await harness.session('go');
    const [first, second] = await pending(sid);
    await harness.sendAndSettle(sid, result(second!, 'two'));
    const last = (await harness.events(sid)).at(-1);
    if (order === 'calls') expect(last).toMatchObject({ custom_tool_use_id: second, processed_at: null });
    else expect(await pending(sid)).toEqual([first]);
    await harness.sendAndSettle(sid, result(first!, 'one'));
    const events = await harness.events(sid);
    expect(events.at(-1)).toMatchObject({ stop_reason: { type: 'end_turn' } });
    const results = events.filter(({ type }) => type === 'user.custom_tool_result');
    expect(results.map(({ custom_tool_use_id }) => custom_tool_use_id)).toEqual(
      order === 'calls' ? [first, second] : [second, first],
    );
    expect(results.every(({ processed_at }) => typeof processed_at === 'string')).toBe(true);
  });
});

it('receipts can have other ids than the stored events', async () => {
  harness = await Harness.start({ serialization: { receiptIds: 'different' } }, [say('ok')]);
  const sid = await harness.session();
  const [receipt] = await harness.sendAndSettle(sid, message('hi'));
  const stored = (await harness.events(sid)).find(({ type }) => type === 'user.message');
  expect(receipt).toMatchObject({ type: 'user.message', content: stored!.content });
  expect(receipt!.id).not.toBe(stored!.id);
});

it('what fails at the start of a turn stands before its thread runs, and the turn goes on', async () => {
  harness = await Harness.start({}, [say('ok')]);
  harness.sim.scenarios.failAtStart(harness.agentId, {
    type: 'mcp_connection_failed_error',
    message: 'The MCP server docs did not answer.',
    mcp_server_name: 'docs',
    retry_status: { type: 'exhausted' },
  });
  const sid = await harness.session('go');
  expect((await harness.types(sid)).slice(0, 3)).toEqual([
    'session.status_running',
    'session.error',
    'session.thread_status_running',
  ]);
  expect((await harness.events(sid)).at(-1)).toMatchObject({ stop_reason: { type: 'end_turn' } });
});

describe('between client and API', () => {
  it('a connection can stay open without an answer', async () => {
    harness = await Harness.start({}, [tool({ name: 'bash' })]);
    harness.sim.faults.add({ path: /\/agents$/, hangs: true });
    const impatient = AbortSignal.timeout(300);
    await expect(harness.fetch('/v1/agents', { signal: impatient })).rejects.toThrow(/timeout/i);
    expect((await harness.fetch('/v1/agents')).status).toBe(200);
  });

  it('a redirect can stand, to the same path elsewhere', async () => {
    harness = await Harness.start();
    harness.sim.faults.add({ redirect: 'https://elsewhere.example' });
    const { status, headers } = await harness.fetch('/v1/agents?limit=1', { redirect: 'manual' });
    expect([status, headers.get('location')]).toEqual([307, 'https://elsewhere.example/v1/agents?limit=1']);
  });

  it('a page of a portal can stand, without the headers of the API', async () => {
    harness = await Harness.start();
    harness.sim.faults.add({ page: '<html>Sign in</html>' });
    const answer = await harness.fetch('/v1/agents');
    expect([answer.status, answer.headers.get('content-type'), answer.headers.get('request-id')]).toEqual([
      200,
      'text/html',
      null,
    ]);
    expect(await answer.text()).toBe('<html>Sign in</html>');
  });
});
