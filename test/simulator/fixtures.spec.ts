import Anthropic from '@anthropic-ai/sdk';
import { FIXTURES, Simulator } from './index.js';
import { allow, message } from './harness.js';
import type { WireEvent } from './wire.js';

describe('the demo world', () => {
  let sim: Simulator;
  let client: Anthropic;
  beforeAll(async () => {
    sim = await Simulator.start({ fixtures: true });
    client = new Anthropic({ apiKey: 'any', baseURL: sim.url, maxRetries: 0 });
  });
  afterAll(() => sim.close());

  const events = async (sid: string) => (await client.beta.sessions.events.list(sid)).data as unknown as WireEvent[];
  const start = async (agent: string, text: string) => {
    const environment_id = FIXTURES.environments.cloud;
    const { id } = await client.beta.sessions.create({ agent, environment_id, initial_events: [message(text)] });
    await sim.settle(id);
    return id;
  };
  const stop = async (sid: string) =>
    (await events(sid)).at(-1)?.stop_reason as { type: string; event_ids: string[] } | undefined;
  const said = async (sid: string) => {
    const last = (await events(sid)).findLast(({ type }) => type === 'agent.message');
    return (last?.content as { text: string }[] | undefined)?.[0]?.text;
  };

  it('has the same ids in every run, and everything finds its agent by metadata', async () => {
    const agents = (await client.beta.agents.list()).data;
    expect(agents.map(({ id }) => id).sort()).toEqual(Object.values(FIXTURES.agents).sort());
    const names = agents.map(({ name }) => name);
    const { data: environments } = await client.beta.environments.list();
    const { data: vaults } = await client.beta.vaults.list();
    const { data: stores } = await client.beta.memoryStores.list();
    expect(environments).toHaveLength(3);
    for (const { metadata } of [...environments, ...vaults, ...stores]) expect(names).toContain(metadata.agent_name);
  });

  it('has a deployer that asks for both of its commands', async () => {
    const sid = await start(FIXTURES.agents.deployer, 'Ship it');
    const { event_ids } = (await stop(sid))!;
    expect(event_ids).toHaveLength(2);
    await client.beta.sessions.events.send(sid, { events: event_ids.map(allow) });
    await sim.settle(sid);
    expect(await said(sid)).toContain('Released');
  });

  it('has an analyst that needs no approval, and plays by keywords', async () => {
    const sid = await start(FIXTURES.agents.analyst, 'hello');
    expect(await said(sid)).toBe('You said: hello');
    const asking = await start(FIXTURES.agents.analyst, 'approve this');
    expect(await stop(asking)).toMatchObject({ type: 'requires_action' });
    const custom = await start(FIXTURES.agents.analyst, 'custom please');
    expect((await events(custom)).some(({ type }) => type === 'agent.custom_tool_use')).toBe(true);
    expect(await stop(await start(FIXTURES.agents.analyst, 'fail'))).toEqual({ type: 'retries_exhausted' });
  });

  it('has a support agent with a custom tool', async () => {
    const sid = await start(FIXTURES.agents.support, 'Where is my order?');
    const [custom_tool_use_id] = (await stop(sid))!.event_ids;
    const content = [{ type: 'text' as const, text: 'on its way' }];
    const result = { type: 'user.custom_tool_result' as const, custom_tool_use_id: custom_tool_use_id!, content };
    await client.beta.sessions.events.send(sid, { events: [result] });
    await sim.settle(sid);
    expect(await said(sid)).toBe('Your order 1234: on its way');
  });

  it('has a coordinator whose researcher asks', async () => {
    const sid = await start(FIXTURES.agents.coordinator, 'the answer');
    const { event_ids } = (await stop(sid))!;
    const posted = (await events(sid)).find(({ id }) => id === event_ids[0]);
    expect(posted).toMatchObject({
      type: 'agent.tool_use',
      session_thread_id: expect.stringMatching(/^sthr_/) as string,
    });
    await client.beta.sessions.events.send(sid, { events: [allow(event_ids[0]!)] });
    await sim.settle(sid);
    expect(await said(sid)).toBe('My researcher says: The answer is 42.');
  });

  it('has an agent that always fails', async () => {
    const sid = await start(FIXTURES.agents.failing, 'try');
    expect(await stop(sid)).toEqual({ type: 'retries_exhausted' });
    expect((await events(sid)).some(({ type }) => type === 'session.error')).toBe(true);
  });
});
