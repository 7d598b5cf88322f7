import { FIXTURES, say, tool, type Session, type WireEvent } from '../simulator/index.js';
import { callTool } from '../support/client.js';
import { type Harness, startHarness } from '../support/harness.js';

const agent_id = FIXTURES.agents.analyst;
const environment_id = FIXTURES.environments.cloud;

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness({ env: { MCP_MAX_RESULT_CHARS: '20000' } });
});
afterAll(() => harness.close());

const read = async (args: Record<string, unknown>) => {
  const answer = await callTool(harness.client, 'session_events', args);
  expect(answer.isError ? answer.text : '').toBe('');
  return { ...answer.data, chars: answer.text.length } as unknown as {
    events: { id: string; type: string; text?: string; [field: string]: unknown }[];
    count: number;
    next_since: string;
    next_page: string | null;
    has_more: boolean;
    omitted_after?: number;
    chars: number;
  };
};

/** A session whose log holds these events after its first, quiet turn. */
async function sessionWith(events: object[] = []): Promise<Session> {
  const { data } = await callTool(harness.client, 'session_start', { agent_id, environment_id });
  const session = harness.simulator.world.sessions.get(data.session_id as string);
  for (const event of events) session.appendRaw(event as WireEvent);
  return session;
}

const at = (micros: number) => `2026-11-22T10:00:00.${String(micros).padStart(6, '0')}Z`;
const message = (id: string, processed_at: string, text = id) => ({
  id,
  type: 'agent.message',
  processed_at,
  content: [{ type: 'text', text }],
});
const numbered = (count: number, stamp: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => message(`sevt_${index}`, stamp(index)));

/** Reads until there is no more, and returns the ids in the order in which they came. */
async function readAll(session_id: string, args: Record<string, unknown> = {}): Promise<string[]> {
  const ids: string[] = [];
  let since: string | undefined;
  for (;;) {
    const batch = await read({ session_id, ...args, ...(since !== undefined && { since }) });
    ids.push(...batch.events.map((event) => event.id));
    since = batch.next_since;
    if (!batch.has_more) return ids;
  }
}

describe('the cursor', () => {
  it('delivers ten events of one stamp, five of which appear after the first poll', async () => {
    const events = numbered(10, () => at(1));
    const session = await sessionWith(events.slice(0, 5));
    const first = await read({ session_id: session.id });
    for (const event of events.slice(5)) session.appendRaw(event);
    const second = await read({ session_id: session.id, since: first.next_since });
    expect(first.events.map(({ id }) => id)).toEqual(events.slice(0, 5).map(({ id }) => id));
    expect(second.events.map(({ id }) => id)).toEqual(events.slice(5).map(({ id }) => id));
  });

  it('delivers an event that is listed late with an earlier stamp', async () => {
    const session = await sessionWith([message('sevt_1', at(100)), message('sevt_2', at(500_000))]);
    const first = await read({ session_id: session.id });
    session.appendRaw(message('sevt_late', at(300)));
    const second = await read({ session_id: session.id, since: first.next_since });
    expect(second.events.map(({ id }) => id)).toEqual(['sevt_late']);
  });

  it('delivers a backlog of events of 100 KB, each once and in order, in pages of few', async () => {
    const events = Array.from({ length: 60 }, (_, index) => ({
      ...message(`sevt_${index}`, at(index * 1000), 'x'.repeat(100_000)),
      type: 'agent.tool_result',
    }));
    const session = await sessionWith(events);
    const { requests } = harness.simulator;
    const before = requests.length;
    expect(await readAll(session.id, { limit: 200 })).toEqual(events.map(({ id }) => id));
    const limits = requests.slice(before).map(({ query }) => Number(query.get('limit')));
    // The first of a reading finds out.
    expect(limits.filter((limit) => limit < 20).length).toBeGreaterThan(limits.length / 2);
    expect(limits.length).toBeLessThan(30);
  });

  it.each([
    // More than the cursor names one by one (140).
    [1, 200],
    [7, 500],
    [50, 500],
    [200, 500],
  ])('pages a backlog of ties and gaps in batches of %d, each of %d events once and in order', async (limit, count) => {
    const events = numbered(count, (index) => at(Math.floor(index / 20) * 1000));
    const session = await sessionWith(events);
    expect(await readAll(session.id, { limit })).toEqual(events.map(({ id }) => id));
  });

  it('continues a batch when given as page, as clients of the Python server do', async () => {
    const session = await sessionWith(numbered(30, (index) => at(index)));
    const first = await read({ session_id: session.id, limit: 20 });
    const rest = await read({ session_id: session.id, limit: 20, page: first.next_page });
    expect([first.count, rest.count, rest.has_more, rest.next_page]).toEqual([20, 10, false, null]);
    expect(rest.events[0]!.id).toBe('sevt_20');
  });

  it('is at most 1.5 KB, whatever was delivered', async () => {
    const session = await sessionWith(numbered(500, (index) => at(index)));
    expect((await read({ session_id: session.id, limit: 200 })).next_since.length).toBeLessThanOrEqual(1536);
  });

  it('accepts a plain time, inclusively', async () => {
    const session = await sessionWith(numbered(10, (index) => at(index)));
    expect((await read({ session_id: session.id, since: at(8) })).events.map(({ id }) => id)).toEqual([
      'sevt_8',
      'sevt_9',
    ]);
  });

  it('of one session is refused for another', async () => {
    const [one, other] = [await sessionWith(numbered(1, () => at(1))), await sessionWith()];
    const { next_since } = await read({ session_id: one.id });
    const answer = await callTool(harness.client, 'session_events', { session_id: other.id, since: next_since });
    expect(answer).toMatchObject({ isError: true, text: expect.stringMatching(/another session/) as string });
  });

  it('stays where it is while nothing happens', async () => {
    const session = await sessionWith(numbered(3, (index) => at(index)));
    const first = await read({ session_id: session.id });
    const second = await read({ session_id: session.id, since: first.next_since });
    const third = await read({ session_id: session.id, since: second.next_since });
    expect([second.count, third.count, second.has_more]).toEqual([0, 0, false]);
  });
});

describe('what is shown', () => {
  it('concise: texts, one-line inputs, heads of results; noise is counted', async () => {
    const { simulator, client } = harness;
    simulator.scenarios.set(agent_id, [
      tool({ name: 'bash', input: { command: 'ls\n-la' }, result: `${'r'.repeat(2000)}` }),
      say('Two files.'),
    ]);
    const { data } = await callTool(client, 'session_start', { agent_id, environment_id, message: 'List files' });
    await simulator.settle(data.session_id as string);
    const { events } = await read({ session_id: data.session_id });
    expect(events.map(({ type }) => type)).toEqual([
      'session.status_running',
      'user.message',
      'agent.tool_use',
      'agent.tool_result',
      'agent.message',
      'session.status_idle',
    ]);
    expect(events[1]).toMatchObject({ text: 'List files', omitted_before: 1 });
    expect(events[2]).toMatchObject({ tool: 'bash', input: '{"command":"ls\\n-la"}' });
    expect(events[3]).toMatchObject({
      tool_use_id: events[2]!.id,
      result: `${'r'.repeat(500)}…[truncated 1500 chars]`,
    });
    expect(events[4]).toMatchObject({ text: 'Two files.' });
    expect(events[5]).toMatchObject({ stop_reason: { type: 'end_turn' } });
    simulator.scenarios.clear();
  });

  it("detailed: the API's events", async () => {
    const session = await sessionWith([{ id: 'sevt_span', type: 'span.model_request_start', processed_at: at(1) }]);
    const { events } = await read({ session_id: session.id, format: 'detailed' });
    expect(events).toEqual([{ id: 'sevt_span', type: 'span.model_request_start', processed_at: at(1) }]);
  });

  it('by type: only those, noise included when asked for', async () => {
    const session = await sessionWith([
      message('sevt_1', at(1)),
      { id: 'sevt_usage', type: 'session.usage', processed_at: at(2), usage: { input_tokens: 5 } },
    ]);
    const { events } = await read({ session_id: session.id, types: ['session.usage'] });
    expect(events).toEqual([expect.objectContaining({ id: 'sevt_usage', usage: { input_tokens: 5 } })]);
  });

  it('passes unknown types, stop reasons and fields through', async () => {
    const session = await sessionWith([
      { id: 'sevt_new', type: 'agent.telepathy', processed_at: at(1), thought: 'blue', deep: { list: [1, 2] } },
      {
        id: 'sevt_idle',
        type: 'session.status_idle',
        processed_at: at(2),
        stop_reason: { type: 'tea_time', minutes: 5 },
      },
    ]);
    const { events } = await read({ session_id: session.id });
    expect(events).toEqual([
      { id: 'sevt_new', type: 'agent.telepathy', at: at(1), thought: 'blue', deep: { list: [1, 2] } },
      expect.objectContaining({ type: 'session.status_idle', stop_reason: { type: 'tea_time', minutes: 5 } }),
    ]);
    const situation = await callTool(harness.client, 'session_get', { session_id: session.id });
    expect(situation.data).toMatchObject({ turn: 'over', stop_reason: { type: 'tea_time', minutes: 5 } });
  });

  it('only noise is an empty answer whose cursor moves on', async () => {
    const session = await sessionWith(
      Array.from({ length: 120 }, (_, index) => ({
        id: `sevt_${index}`,
        type: 'agent.thinking',
        processed_at: at(index),
      })),
    );
    const batch = await read({ session_id: session.id, limit: 50 });
    expect(batch).toMatchObject({ events: [], has_more: false });
    expect((await read({ session_id: session.id, since: batch.next_since })).events).toEqual([]);
  });
});

describe('sizes', () => {
  it('delivers fewer events rather than half of one, and loses none', async () => {
    const events = Array.from({ length: 40 }, (_, index) => message(`sevt_${index}`, at(index), 'y'.repeat(3000)));
    const session = await sessionWith(events);
    const batch = await read({ session_id: session.id });
    expect(batch.has_more).toBe(true);
    expect(batch.count).toBeLessThan(10);
    expect(batch.chars).toBeLessThanOrEqual(20_000);
    expect(await readAll(session.id)).toEqual(events.map(({ id }) => id));
  });

  it('cuts an event that is too large by itself', async () => {
    const content = Array.from({ length: 60 }, () => ({ type: 'text', text: 'z'.repeat(5000) }));
    const session = await sessionWith([{ id: 'sevt_big', type: 'agent.message', processed_at: at(1), content }]);
    for (const format of ['concise', 'detailed']) {
      const batch = await read({ session_id: session.id, format });
      expect(batch).toMatchObject({ count: 1, has_more: false });
      expect(batch.chars).toBeLessThanOrEqual(20_000);
    }
  });

  it('shows that a monstrous event is there, when even cutting does not help', async () => {
    const input = Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`key_${index}`, index]));
    const session = await sessionWith([
      { id: 'sevt_monster', type: 'agent.tool_use', processed_at: at(1), name: 'bash', input },
      message('sevt_after', at(2)),
    ]);
    const batch = await read({ session_id: session.id, format: 'detailed' });
    expect(batch.events[0]).toMatchObject({ id: 'sevt_monster', note: 'This event is too large to be shown.' });
    expect(await readAll(session.id, { format: 'detailed' })).toEqual(['sevt_monster', 'sevt_after']);
  });
});
