import { allow, deny, Harness, interrupt, message, refusal } from './harness.js';
import { ask, customTool, joinThreads, say, spawnThread, type Step, together, tool, wait, workflow } from './index.js';

const delegate = (steps: Step[], join = true) => spawnThread({ agentName: 'helper', message: 'help me', steps, join });

describe('child threads', () => {
  let harness: Harness;
  afterEach(() => harness.close());

  const pending = async (sid: string) => {
    const idle = (await harness.events(sid)).at(-1) as { stop_reason?: { event_ids?: string[] } };
    return idle.stop_reason?.event_ids ?? [];
  };
  const child = async (sid: string) => (await harness.sessions.threads.list(sid)).data[1]!;
  const childTypes = async (sid: string, tid: string) =>
    (await harness.sessions.threads.events.list(tid, { session_id: sid })).data.map(({ type }) => type);

  it('show their lifecycle on the session and their work on their own log', async () => {
    harness = await Harness.start({}, function* () {
      const [report] = yield delegate([tool({ name: 'bash' }), say('the answer')]);
      yield say(`it says: ${report?.text}`);
    });
    const sid = await harness.session('go');
    const types = await harness.types(sid);
    const start = types.indexOf('session.thread_created');
    expect(types.slice(start, start + 7)).toEqual([
      'session.thread_created',
      'agent.thread_message_sent',
      'span.model_request_end',
      'session.thread_status_running',
      'session.thread_status_idle',
      'session.thread_status_running',
      'agent.thread_message_received',
    ]);
    expect(types.filter((type) => type === 'session.thread_status_idle')).toHaveLength(3);
    expect(types.filter((type) => type === 'session.status_idle')).toHaveLength(1);
    expect((await harness.events(sid)).find(({ type }) => type === 'agent.message')).toMatchObject({
      content: [{ text: 'it says: the answer' }],
    });
    const { id, parent_thread_id, agent } = await child(sid);
    const [primary] = (await harness.sessions.threads.list(sid)).data;
    expect([primary!.parent_thread_id, parent_thread_id, agent]).toMatchObject([null, primary!.id, { name: 'helper' }]);
    expect(await childTypes(sid, id)).toEqual([
      'session.thread_status_running',
      'agent.thread_message_received',
      'span.model_request_start',
      'agent.tool_use',
      'span.model_request_end',
      'agent.tool_result',
      'span.model_request_start',
      'agent.message',
      'span.model_request_end',
      'agent.thread_message_sent',
      'session.thread_status_idle',
    ]);
  });

  it.each(['same', 'different'] as const)('cross-post what needs a client, under the %s id', async (crossPostedIds) => {
    harness = await Harness.start({ serialization: { crossPostedIds } }, [
      delegate([together(ask({ name: 'bash', result: 'ran' }), customTool({ name: 'x' })), say('done')]),
      say('ok'),
    ]);
    const sid = await harness.session('go');
    const ids = await pending(sid);
    const thread = await child(sid);
    const posted = (await harness.events(sid)).filter(({ id }) => ids.includes(id));
    expect(posted.map(({ type, session_thread_id }) => [type, session_thread_id])).toEqual([
      ['agent.tool_use', thread.id],
      ['agent.custom_tool_use', thread.id],
    ]);
    const own = (await harness.sessions.threads.events.list(thread.id, { session_id: sid })).data;
    const call = own.find(({ type }) => type === 'agent.tool_use')!;
    expect(call).not.toHaveProperty('session_thread_id');
    expect(call.id === ids[0]).toBe(crossPostedIds === 'same');
    expect((await refusal(harness.send(sid, message('hi')))).status).toBe(400);
    await harness.sendAndSettle(
      sid,
      { type: 'user.custom_tool_result', custom_tool_use_id: ids[1]! },
      deny(ids[0]!, 'no'),
    );
    const after = (await harness.sessions.threads.events.list(thread.id, { session_id: sid })).data;
    expect(after.find(({ type }) => type === 'user.tool_confirmation')).toMatchObject({ tool_use_id: call.id });
    expect(after.find(({ type }) => type === 'agent.tool_result')).toMatchObject({
      tool_use_id: call.id,
      is_error: true,
    });
    expect((await harness.events(sid)).at(-1)).toMatchObject({ stop_reason: { type: 'end_turn' } });
  });

  it('can wait for an answer while the session runs, and take it at once', async () => {
    harness = await Harness.start({}, [
      delegate([ask({ name: 'bash' }), say('done')], false),
      wait(5000),
      joinThreads(),
      say('ok'),
    ]);
    const sid = await harness.session('go');
    expect((await harness.sessions.retrieve(sid)).status).toBe('running');
    const posted = (await harness.events(sid)).find(
      ({ session_thread_id, type }) => type === 'agent.tool_use' && session_thread_id,
    );
    expect((await child(sid)).status).toBe('idle');
    await harness.sendAndSettle(sid, allow(posted!.id));
    harness.clock.advance(5000);
    await harness.sim.settle();
    expect((await harness.types(sid)).filter((type) => type === 'session.status_idle')).toHaveLength(1);
  });

  it('stop together, or one alone', async () => {
    harness = await Harness.start({}, [delegate([wait(60_000), say('never')]), say('ok')]);
    const sid = await harness.session('go');
    const { id } = await child(sid);
    await harness.sendAndSettle(sid, { type: 'user.interrupt', session_thread_id: id });
    expect((await harness.events(sid)).at(-1)).toMatchObject({ stop_reason: { type: 'end_turn' } });
    expect(await harness.types(sid)).toContain('agent.message');
    await harness.sendAndSettle(sid, message('again'));
    expect((await harness.sessions.retrieve(sid)).status).toBe('running');
    await harness.sendAndSettle(sid, interrupt);
    expect((await harness.sessions.retrieve(sid)).status).toBe('idle');
    const unknown = harness.send(sid, { type: 'user.interrupt', session_thread_id: 'sthr_unknown' });
    expect((await refusal(unknown)).status).toBe(400);
  });

  it('can be read, streamed and, when idle, archived', async () => {
    harness = await Harness.start({}, [delegate([ask({ name: 'bash' })], false), say('ok')]);
    const sid = await harness.session('go');
    const [posted] = await pending(sid);
    const { threads } = harness.sessions;
    const { id } = await child(sid);
    expect(await threads.retrieve(id, { session_id: sid })).toMatchObject({
      id,
      type: 'session_thread',
      session_id: sid,
    });
    expect((await threads.list(sid, { statuses: ['running'] })).data).toEqual([]);
    expect((await harness.fetch(`/v1/sessions/${sid}/threads/${id}/events/stream`)).status).toBe(404);
    const stream = await threads.events.stream(id, { session_id: sid });
    const primary = (await threads.list(sid)).data[0]!;
    expect((await refusal(threads.archive(primary.id, { session_id: sid }))).status).toBe(400);
    expect(await threads.archive(id, { session_id: sid })).toMatchObject({
      status: 'terminated',
      archived_at: expect.any(String) as string,
    });
    for await (const { type } of stream) {
      expect(type).toBe('session.thread_status_terminated');
      break;
    }
    expect((await refusal(harness.send(sid, { type: 'user.interrupt', session_thread_id: id }))).status).toBe(400);
    await harness.sendAndSettle(sid, allow(posted!));
    expect((await harness.types(sid)).at(-1)).toBe('user.tool_confirmation');
  });
});

describe('a workflow run', () => {
  let harness: Harness;
  afterEach(() => harness.close());

  it('keeps the session running until it ends, through interrupts', async () => {
    harness = await Harness.start({}, [
      workflow({ name: 'nightly', phases: ['collect', 'publish'], hold: true }),
      say('started'),
    ]);
    const sid = await harness.session('go');
    const types = await harness.types(sid);
    expect(types.filter((type) => type.startsWith('workflow_run.'))).toEqual([
      'workflow_run.created',
      'workflow_run.status_running',
      'workflow_run.phase_started',
      'workflow_run.phase_ended',
      'workflow_run.phase_started',
      'workflow_run.phase_ended',
    ]);
    expect(types).toContain('session.thread_status_idle');
    await harness.sendAndSettle(sid, interrupt);
    expect(await harness.types(sid)).not.toContain('session.status_idle');
    expect((await harness.sessions.retrieve(sid)).status).toBe('running');
    expect((await refusal(harness.sessions.delete(sid))).errorCode).toBe('workflow_run_open');
    harness.sim.world.sessions.get(sid).endWorkflow();
    await harness.sim.settle();
    expect((await harness.types(sid)).slice(-3)).toEqual([
      'workflow_run.status_ended',
      'session.usage',
      'session.status_idle',
    ]);
  });
});
