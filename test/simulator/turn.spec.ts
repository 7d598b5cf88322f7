import { ask, customTool, error, refuse, say, think, together, tool, turns, wait } from './index.js';
import { allow, deny, Harness, interrupt, message, refusal } from './harness.js';

const BUSY = [think(), tool({ name: 'bash', input: { command: 'sleep 25' }, result: 'done\n' }), say('Finished.')];

describe('a turn', () => {
  let harness: Harness;
  afterEach(() => harness.close());

  it('has the sequence of the real API, in bursts of a microsecond', async () => {
    harness = await Harness.start({ agentPace: 'manual' }, BUSY);
    const sid = await harness.session();
    const [accepted] = await harness.send(sid, message('go'));
    while (harness.sim.step()) harness.clock.advance(100);
    const events = await harness.events(sid);
    expect(events.map(({ type }) => type)).toEqual([
      'session.status_running',
      'session.thread_status_running',
      'user.message',
      'span.model_request_start',
      'agent.thinking',
      'agent.tool_use',
      'span.model_request_end',
      'agent.tool_result',
      'span.model_request_start',
      'agent.message',
      'span.model_request_end',
      'session.thread_status_idle',
      'session.usage',
      'session.status_idle',
    ]);
    expect(accepted).not.toHaveProperty('processed_at');
    expect(events[2]?.id).toBe(accepted?.id);
    const micros = events.map(({ processed_at }) => Number(processed_at?.slice(20, 26)));
    expect(micros.slice(0, 4)).toEqual([0, 1, 100_000, 100_001]);
    expect(events[6]).toMatchObject({ model_request_start_id: events[3]?.id, is_error: false });
  });

  it('accepts input first and processes it later: queued at the end of the list, stamped where the agent took it', async () => {
    harness = await Harness.start({ agentPace: 'manual' }, BUSY);
    const sid = await harness.session();
    const [accepted] = await harness.send(sid, message('go'));
    expect(await harness.events(sid)).toEqual([{ ...accepted, processed_at: null }]);
    expect((await harness.sessions.retrieve(sid)).status).toBe('idle');
    harness.sim.step();
    expect(await harness.types(sid)).toEqual([
      'session.status_running',
      'session.thread_status_running',
      'user.message',
    ]);
    expect((await harness.sessions.retrieve(sid)).status).toBe('running');
    harness.sim.step();
    const taken = (await harness.events(sid)).at(-2);
    expect(taken?.id).toBe(accepted?.id);
    expect(taken?.processed_at).toMatch(/^2026-/);
  });

  it('starts running at once when the session was created with input', async () => {
    harness = await Harness.start({ agentPace: 'manual' }, BUSY);
    const created = await harness.sessions.create({
      agent: harness.agentId,
      environment_id: harness.environmentId,
      initial_events: [message('go')],
    });
    expect(created.status).toBe('running');
    await harness.sim.settle();
    expect((await harness.sessions.retrieve(created.id)).status).toBe('idle');
    expect((await harness.types(created.id))[0]).toBe('session.status_running');
  });

  it('folds a message sent while running into itself before the next model request', async () => {
    harness = await Harness.start({ agentPace: 'manual' }, BUSY);
    const sid = await harness.session();
    await harness.send(sid, message('A'));
    for (let step = 0; step < 4; step += 1) harness.sim.step();
    await harness.send(sid, message('B'));
    await harness.sim.settle();
    const types = await harness.types(sid);
    expect(types.filter((type) => type === 'session.status_idle')).toHaveLength(1);
    expect(types.slice(7, 10)).toEqual(['agent.tool_result', 'user.message', 'span.model_request_start']);
  });

  it('answers a message that arrives at its very end without going idle in between', async () => {
    harness = await Harness.start({ agentPace: 'manual' }, [say('hello')]);
    const sid = await harness.session();
    await harness.send(sid, message('A'));
    for (let step = 0; step < 3; step += 1) harness.sim.step();
    await harness.send(sid, message('B'));
    await harness.sim.settle();
    const types = await harness.types(sid);
    expect(types.filter((type) => type === 'agent.message')).toHaveLength(2);
    expect(types.filter((type) => type === 'session.status_idle')).toHaveLength(1);
  });

  it('ends with a refusal, or with retries_exhausted after an error', async () => {
    harness = await Harness.start({}, turns([refuse({ category: 'cyber' })], [error({ retry_status: 'exhausted' })]));
    const sid = await harness.session('one');
    expect((await harness.events(sid)).at(-1)).toMatchObject({
      stop_reason: { type: 'refusal' },
      stop_details: { type: 'refusal', category: 'cyber', explanation: null },
    });
    await harness.sendAndSettle(sid, message('two'));
    const [last, failure] = (await harness.events(sid))
      .reverse()
      .filter(({ type }) => /idle$|error$/.test(type) && !type.includes('thread'));
    expect(last).toMatchObject({ stop_reason: { type: 'retries_exhausted' } });
    expect(failure).toMatchObject({ type: 'session.error', error: { retry_status: { type: 'exhausted' } } });
  });

  it('is rescheduled by an error that is retried, and goes on', async () => {
    harness = await Harness.start({}, [
      error({ type: 'model_overloaded_error', retry_status: 'retrying' }, { retryMs: 2000 }),
      say('ok'),
    ]);
    const sid = await harness.session('go');
    expect((await harness.sessions.retrieve(sid)).status).toBe('rescheduling');
    expect((await refusal(harness.sessions.delete(sid))).status).toBe(400);
    harness.clock.advance(2000);
    await harness.sim.settle();
    const types = await harness.types(sid);
    expect(types.slice(types.indexOf('session.error'), -5)).toEqual([
      'session.error',
      'session.thread_status_rescheduled',
      'session.status_rescheduled',
      'session.status_running',
      'session.thread_status_running',
      'span.model_request_start',
    ]);
    expect(types.at(-1)).toBe('session.status_idle');
  });

  it('is the last one after a terminal error', async () => {
    harness = await Harness.start({}, [error({ type: 'billing_error', message: 'no', retry_status: 'terminal' })]);
    const sid = await harness.session('go');
    expect((await harness.sessions.retrieve(sid)).status).toBe('terminated');
    expect((await harness.types(sid)).at(-1)).toBe('session.status_terminated');
    expect((await refusal(harness.send(sid, message('again')))).status).toBe(400);
  });

  it('reports an error of its scenario to whoever waits for it', async () => {
    harness = await Harness.start({}, function* () {
      yield think();
      throw new Error('a bug in the scenario');
    });
    await expect(harness.session('go')).rejects.toThrow('a bug in the scenario');
  });

  it('lets a paced or waiting agent be settled by the clock', async () => {
    harness = await Harness.start({ agentPace: 50 }, [think(), wait(10_000), say('late')]);
    const sid = await harness.session('go');
    harness.clock.advance(10_000);
    expect(await harness.types(sid)).not.toContain('agent.message');
    harness.clock.advance(1000);
    expect((await harness.types(sid)).at(-1)).toBe('session.status_idle');
  });

  it('shows usage that grows at the end of turns while the running time moves', async () => {
    harness = await Harness.start({}, [think(), wait(4000), say('done')]);
    const sid = await harness.session('go');
    harness.clock.advance(1500);
    const during = (await harness.sessions.retrieve(sid)).usage;
    expect(during).toMatchObject({ input_tokens: 0, list_cost: { amount: '0' }, active_seconds: 1.5 });
    harness.clock.advance(2500);
    await harness.sim.settle();
    const after = (await harness.sessions.retrieve(sid)).usage;
    const spans = (await harness.events(sid)).filter(({ type }) => type === 'span.model_request_end');
    const total = spans.reduce(
      (sum, { model_usage }) => sum + (model_usage as { input_tokens: number }).input_tokens,
      0,
    );
    expect(after).toMatchObject({ input_tokens: total, active_seconds: 4, cache_creation: {} });
  });
});

describe('what a turn waits for', () => {
  let harness: Harness;
  afterEach(() => harness.close());

  const pending = async (sid: string) => {
    const idle = (await harness.events(sid)).at(-1) as { stop_reason?: { type: string; event_ids?: string[] } };
    return idle.stop_reason?.event_ids ?? [];
  };

  it('asks, is allowed, and goes on', async () => {
    harness = await Harness.start({}, function* () {
      const [call] = yield ask({ name: 'bash', input: { command: 'ls' }, result: 'file\n' });
      yield say(`decision: ${call?.decision}`);
    });
    const sid = await harness.session('go');
    const [id] = await pending(sid);
    const before = (await harness.events(sid)).length;
    await harness.sendAndSettle(sid, allow(id!));
    const events = (await harness.events(sid)).slice(before);
    expect(events.map(({ type }) => type)).toEqual([
      'user.tool_confirmation',
      'session.status_running',
      'session.thread_status_running',
      'agent.tool_result',
      'span.model_request_start',
      'agent.message',
      'span.model_request_end',
      'session.thread_status_idle',
      'session.usage',
      'session.status_idle',
    ]);
    expect(events[3]).toMatchObject({ tool_use_id: id, is_error: false, content: [{ text: 'file\n' }] });
    expect(events[5]).toMatchObject({ content: [{ text: 'decision: allow' }] });
  });

  it('turns a denial into the documented error result', async () => {
    harness = await Harness.start({}, [ask({ name: 'bash' }), say('ok')]);
    const sid = await harness.session('go');
    const [id] = await pending(sid);
    await harness.sendAndSettle(sid, deny(id!, 'Not today.'));
    expect((await harness.events(sid)).find(({ type }) => type === 'agent.tool_result')).toMatchObject({
      is_error: true,
      content: [{ text: 'Permission to use bash has been rejected. Rejection message: Not today.' }],
    });
  });

  it('idles again with the rest when only some of several calls are answered', async () => {
    harness = await Harness.start({}, [
      together(ask({ name: 'bash' }), ask({ name: 'write' }), customTool({ name: 'x' })),
      say('ok'),
    ]);
    const sid = await harness.session('go');
    const [first, second, third] = await pending(sid);
    expect(third).toBeDefined();
    await harness.sendAndSettle(sid, allow(second!));
    expect(await pending(sid)).toEqual([first, third]);
    const types = await harness.types(sid);
    expect(types.filter((type) => type === 'session.status_running')).toHaveLength(1);
    await harness.sendAndSettle(sid, { type: 'user.custom_tool_result', custom_tool_use_id: third! });
    expect(await pending(sid)).toEqual([first]);
    await harness.sendAndSettle(sid, deny(first!));
    expect((await harness.events(sid)).at(-1)).toMatchObject({ stop_reason: { type: 'end_turn' } });
  });

  it('takes all answers in one request', async () => {
    harness = await Harness.start({}, [together(ask({ name: 'bash' }), ask({ name: 'bash' })), say('ok')]);
    const sid = await harness.session('go');
    await harness.sendAndSettle(sid, ...(await pending(sid)).map(allow));
    expect((await harness.types(sid)).filter((type) => type === 'session.status_idle')).toHaveLength(2);
  });

  it('refuses messages meanwhile, and answers that do not fit', async () => {
    harness = await Harness.start({}, [together(tool({ name: 'read' }), ask({ name: 'bash' })), say('ok')]);
    const sid = await harness.session('go');
    const [id] = await pending(sid);
    const ran = (await harness.events(sid)).find(({ name }) => name === 'read');
    const refused = async (...events: Parameters<typeof harness.send> extends [string, ...infer E] ? E : never) => {
      const { status, message: text } = await refusal(harness.send(sid, ...events));
      return [status, text] as const;
    };
    expect(await refused(message('hi'))).toEqual([
      400,
      expect.stringContaining(
        `Invalid user.message event at events[0]: waiting on responses to events [${id}]; only user.tool_confirmation`,
      ),
    ]);
    expect((await refused(allow(ran!.id)))[0]).toBe(400);
    expect((await refused(allow('sevt_unknown')))[1]).toContain('does not match any `agent.tool_use` event');
    expect((await refused({ ...allow(id!), deny_message: 'no' }))[0]).toBe(400);
    expect((await refused(deny(id!, 'x'.repeat(10_001))))[0]).toBe(400);
    expect((await refused({ type: 'user.tool_result', tool_use_id: id! }))[0]).toBe(400);
    const before = await harness.events(sid);
    expect((await refused(allow(id!), message('too early for one bad event'), allow('sevt_x')))[0]).toBe(400);
    expect(await harness.events(sid)).toEqual(before);
  });

  it('takes a custom result on receipt, and a second one for nothing', async () => {
    harness = await Harness.start({}, function* () {
      const [call] = yield customTool({ name: 'lookup' });
      yield say(`got ${call?.text}`);
    });
    const sid = await harness.session('go');
    const [id] = await pending(sid);
    const result = {
      type: 'user.custom_tool_result' as const,
      custom_tool_use_id: id!,
      content: [{ type: 'text' as const, text: '7' }],
    };
    const [accepted] = await harness.sendAndSettle(sid, result);
    expect(accepted?.processed_at).toEqual(expect.any(String));
    const once = await harness.events(sid);
    expect(once.find(({ type }) => type === 'agent.message')).toMatchObject({ content: [{ text: 'got 7' }] });
    await harness.sendAndSettle(sid, result);
    expect((await harness.types(sid)).slice(once.length)).toEqual([
      'user.custom_tool_result',
      'session.status_running',
      'session.thread_status_running',
      'session.thread_status_idle',
      'session.usage',
      'session.status_idle',
    ]);
  });

  it('waits for a worker in a self-hosted environment', async () => {
    harness = await Harness.start({}, [tool({ name: 'bash' }), ask({ name: 'bash' }), say('ok')]);
    const environment = harness.sim.world.environments.create({ config: { type: 'self_hosted' } });
    const { id: sid } = await harness.sessions.create({
      agent: harness.agentId,
      environment_id: environment.id,
      initial_events: [message('go')],
    });
    await harness.sim.settle();
    const [first] = await pending(sid);
    expect((await refusal(harness.send(sid, allow(first!)))).status).toBe(400);
    await harness.sendAndSettle(sid, { type: 'user.tool_result', tool_use_id: first! });
    const [second] = await pending(sid);
    await harness.sendAndSettle(sid, allow(second!));
    expect(await pending(sid)).toEqual([second]);
    await harness.sendAndSettle(sid, { type: 'user.tool_result', tool_use_id: second! });
    expect((await harness.types(sid)).filter((type) => type === 'agent.message')).toHaveLength(1);
  });

  it('takes an injected call for one of its own', async () => {
    harness = await Harness.start();
    const sid = await harness.session();
    const session = harness.sim.world.sessions.get(sid);
    const call = session.inject({ type: 'agent.tool_use', name: 'bash', input: {}, evaluated_permission: 'ask' });
    session.inject({ type: 'session.status_idle', stop_reason: { type: 'requires_action', event_ids: [call.id] } });
    expect((await refusal(harness.send(sid, message('hi')))).status).toBe(400);
    await harness.sendAndSettle(sid, allow(call.id));
    expect((await harness.events(sid)).at(-1)).toMatchObject({ stop_reason: { type: 'end_turn' } });
  });
});

describe('an interrupt', () => {
  let harness: Harness;
  afterEach(() => harness.close());

  it('jumps the queue and ends the turn with a plain end_turn', async () => {
    harness = await Harness.start({ agentPace: 'manual' }, BUSY);
    const sid = await harness.session();
    await harness.send(sid, message('go'));
    for (let step = 0; step < 4; step += 1) harness.sim.step();
    await harness.send(sid, message('later'));
    await harness.send(sid, interrupt);
    await harness.sim.settle();
    const events = await harness.events(sid);
    const types = events.map(({ type }) => type);
    const at = types.indexOf('user.interrupt');
    expect(types.slice(at, at + 7)).toEqual([
      'user.interrupt',
      'agent.tool_result',
      'session.thread_status_idle',
      'session.usage',
      'session.status_idle',
      'session.status_running',
      'session.thread_status_running',
    ]);
    expect(events[at + 1]).toMatchObject({
      is_error: true,
      content: [{ text: 'Tool execution was interrupted before completion. Please retry.' }],
    });
    expect(events[at + 4]).toMatchObject({ stop_reason: { type: 'end_turn' } });
    expect(types.indexOf('user.message', at)).toBeGreaterThan(at);
  });

  it('stops a model request that is under way', async () => {
    harness = await Harness.start({}, [think(), wait(60_000), say('never')]);
    const sid = await harness.session('go');
    await harness.sendAndSettle(sid, interrupt);
    const types = await harness.types(sid);
    expect(types.slice(-5)).toEqual([
      'user.interrupt',
      'span.model_request_end',
      'session.thread_status_idle',
      'session.usage',
      'session.status_idle',
    ]);
    harness.clock.advance(120_000);
    await harness.sim.settle();
    expect(await harness.types(sid)).toEqual(types);
  });

  it('redirects together with a message in one request', async () => {
    harness = await Harness.start({}, turns([wait(60_000)], [say('as you wish')]));
    const sid = await harness.session('go');
    await harness.sendAndSettle(sid, interrupt, message('do this instead'));
    const types = await harness.types(sid);
    expect(types.indexOf('user.interrupt')).toBeLessThan(types.lastIndexOf('user.message'));
    expect(types).toContain('agent.message');
  });

  it('closes pending calls without asking the model, and lets a message follow in one request', async () => {
    harness = await Harness.start({}, turns([together(ask({ name: 'bash' }), customTool({ name: 'x' }))], [say('ok')]));
    const sid = await harness.session('go');
    const before = (await harness.events(sid)).length;
    await harness.sendAndSettle(sid, interrupt);
    const events = (await harness.events(sid)).slice(before);
    expect(events.map(({ type }) => type)).toEqual([
      'user.interrupt',
      'session.status_running',
      'session.thread_status_running',
      'agent.tool_result',
      'user.custom_tool_result',
      'session.thread_status_idle',
      'session.usage',
      'session.status_idle',
    ]);
    expect(events.at(-1)).toMatchObject({ stop_reason: { type: 'end_turn' } });
    await harness.sendAndSettle(sid, message('again'));
    expect(await harness.types(sid)).toContain('agent.message');
  });

  it('is a no-op when nothing runs', async () => {
    harness = await Harness.start();
    const sid = await harness.session();
    await harness.sendAndSettle(sid, interrupt);
    expect(await harness.types(sid)).toEqual(['user.interrupt']);
    expect((await harness.sessions.retrieve(sid)).status).toBe('idle');
  });
});
