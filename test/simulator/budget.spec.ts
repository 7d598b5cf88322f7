import { allow, Harness, interrupt, message, refusal } from './harness.js';
import { ask, say, spend, spawnThread, tool } from './index.js';

const limit = (amount: string) => ({ type: 'limit' as const, max_list_cost: { amount, currency: 'USD' as const } });

describe('a budget', () => {
  let harness: Harness;
  afterEach(() => harness.close());

  const spendthrift = [tool({ name: 'bash' }), spend(300), say('too late')];

  it('pauses the session before the next model request', async () => {
    harness = await Harness.start({}, spendthrift);
    const sid = await harness.session('go', { budget: limit('200') });
    const events = await harness.events(sid);
    expect(events.slice(-4).map(({ type }) => type)).toEqual([
      'agent.tool_result',
      'session.thread_status_idle',
      'session.usage',
      'session.status_idle',
    ]);
    expect(events.at(-3)).toMatchObject({ stop_reason: { type: 'budget_reached' } });
    expect(events.at(-2)).toMatchObject({ budget: limit('200') });
    expect(events.at(-1)).toMatchObject({ stop_reason: { type: 'budget_reached' } });
    expect(Number((await harness.sessions.retrieve(sid)).usage.list_cost?.amount)).toBeGreaterThanOrEqual(300);
  });

  it('refuses new work while it is reached, and ignores an interrupt', async () => {
    harness = await Harness.start({}, spendthrift);
    const sid = await harness.session('go', { budget: limit('200') });
    const refused = await refusal(harness.send(sid, message('more')));
    expect(refused).toMatchObject({
      status: 400,
      message: expect.stringContaining('user.tool_confirmation') as string,
    });
    const before = await harness.events(sid);
    await harness.sendAndSettle(sid, interrupt);
    expect(await harness.events(sid)).toEqual(before);
  });

  it.each([limit('1000'), null])('resumes by itself when it is raised or removed', async (budget) => {
    harness = await Harness.start({}, spendthrift);
    const sid = await harness.session('go', { budget: limit('200') });
    await harness.sessions.update(sid, { budget });
    await harness.sim.settle();
    const types = await harness.types(sid);
    expect(types.slice(types.indexOf('session.updated'), -5)).toEqual([
      'session.updated',
      'session.status_running',
      'session.thread_status_running',
      'span.model_request_start',
    ]);
    expect((await harness.events(sid)).at(-1)).toMatchObject({ stop_reason: { type: 'end_turn' } });
  });

  it('can only be set at creation, must exceed what was spent, and never comes back', async () => {
    harness = await Harness.start({}, spendthrift);
    const free = await harness.session('go');
    const update = (sid: string, budget: ReturnType<typeof limit>) => refusal(harness.sessions.update(sid, { budget }));
    expect((await update(free, limit('9000'))).errorCode).toBe('budget_create_only');
    const capped = await harness.session('go', { budget: limit('200') });
    expect(await update(capped, limit('300'))).toMatchObject({
      errorCode: 'budget_not_raised',
      message: "budget.max_list_cost must be greater than the session's consumed list cost",
    });
    await harness.sessions.update(capped, { budget: null });
    expect((await update(capped, limit('9000'))).errorCode).toBe('budget_create_only');
  });

  it('needs models with a list price', async () => {
    harness = await Harness.start();
    const agent = harness.sim.world.agents.create({ model: 'house-model' });
    const call = harness.sessions.create({
      agent: agent.id,
      environment_id: harness.environmentId,
      budget: limit('100'),
    });
    expect((await refusal(call)).errorCode).toBe('model_not_budgetable');
  });

  it('yields to pending actions, whose answers are recorded while it stays reached', async () => {
    harness = await Harness.start({}, [
      spawnThread({
        agentName: 'child',
        message: 'do it',
        join: false,
        steps: [ask({ name: 'bash', result: 'done' }), say('never said')],
      }),
      spend(300),
      say('never said either'),
    ]);
    const sid = await harness.session('go', { budget: limit('200') });
    const idle = (await harness.events(sid)).at(-1) as { stop_reason?: { type: string; event_ids: string[] } };
    expect(idle.stop_reason?.type).toBe('requires_action');
    await harness.sendAndSettle(sid, allow(idle.stop_reason!.event_ids[0]!));
    expect((await harness.events(sid)).at(-1)).toMatchObject({ stop_reason: { type: 'budget_reached' } });
    await harness.sessions.update(sid, { budget: null });
    await harness.sim.settle();
    expect((await harness.events(sid)).at(-1)).toMatchObject({ stop_reason: { type: 'end_turn' } });
  });
});
