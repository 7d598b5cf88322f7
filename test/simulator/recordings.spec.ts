import { recording } from '../support/recordings.js';
import { deny, Harness, message } from './harness.js';
import { ask, say, type Scenario, type SimulatorOptions, think, tool } from './index.js';
import { parseTime } from './clock.js';
import type { WireEvent } from './wire.js';

interface Exchange {
  request: { method: string; path: string; body?: Record<string, unknown> };
  response: { status: number; headers?: Record<string, string>; body?: unknown; events?: WireEvent[] };
}

/** What must be the same: the fields, which of them are null, and the constants; ids, times and counts may differ. */
function shape(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) return value.map((item) => shape(item, key));
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    return Object.fromEntries(entries.map(([name, field]) => [name, shape(field, name)]));
  }
  if (typeof value === 'number' && key !== 'version') return 'number';
  if (typeof value === 'string' && /^(id|amount)$|_ids?$|_at$|_page$/.test(key)) return idPrefix(value);
  return value;
}

const idPrefix = (value: string) => /^page(?=_)|^[a-z]+(?=_01)/.exec(value)?.[0] ?? value.replaceAll(/\d+/g, '0');

/** Sizes of the bursts: events that follow each other within a millisecond. */
function bursts(events: readonly WireEvent[]): number[] {
  const times = events.map(({ processed_at }) => parseTime(processed_at!)!);
  const sizes: number[] = [];
  times.forEach((time, index) => {
    const gap = time - (times[index - 1] ?? -Infinity);
    if (gap < 1000) sizes[sizes.length - 1]! += 1;
    else sizes.push(1);
    expect(gap).toBeGreaterThan(0);
  });
  return sizes;
}

/** Plays as many steps as make a burst of the given size, then lets time pass, until a burst has played. */
function playBurst(harness: Harness, sid: string, size: number): void {
  const log = harness.sim.world.sessions.get(sid).log;
  const processed = () => log.entries.filter(({ at }) => at !== undefined).length;
  const goal = processed() + size;
  while (processed() < goal && harness.sim.step()) continue;
  expect(processed()).toBe(goal);
  harness.clock.advance(137);
}

describe('the simulator does as in the recording of', () => {
  let harness: Harness;
  afterEach(() => harness?.close());

  const begin = async (options: SimulatorOptions, scenario: Scenario) => {
    harness = await Harness.start({ agentPace: 'manual', ...options }, scenario);
  };
  const streamed = async (sid: string) => (await harness.events(sid)).filter(({ processed_at }) => processed_at);

  it('a turn with a tool, and the calls around it', async () => {
    const { exchanges } = recording<{ exchanges: Exchange[] }>('turn-with-tool');
    const [environments, agent, session, send, stream] = exchanges;
    await begin({ serialization: { era: '2026-08', queuedCopies: false } }, []);
    harness.sim.world.environments.create({ name: 'calculation-env' });

    const call = async ({ request }: Exchange, replace: Record<string, unknown> = {}, path = request.path) => {
      const body = request.body && JSON.stringify({ ...request.body, ...replace });
      const response = await harness.fetch(path, { method: request.method, body });
      return { status: response.status, body: (await response.json()) as { id: string }, headers: response.headers };
    };
    const same = (answer: { status: number; body: unknown }, { response }: Exchange) => {
      expect([answer.status, shape(answer.body)]).toEqual([response.status, shape(response.body)]);
    };

    const listed = await call(environments!);
    same(listed, environments!);
    const madeAgent = await call(agent!);
    same(madeAgent, agent!);
    expect(madeAgent.headers.get('anthropic-ratelimit-requests-limit')).toBe('300');
    const madeSession = await call(session!, { agent: madeAgent.body.id, environment_id: harness.environmentId });
    same(madeSession, session!);

    const sid = madeSession.body.id;
    harness.sim.scenarios.set(madeAgent.body.id, [
      think(),
      tool({ name: 'bash', input: { command: 'echo $((17 + 25))' }, result: '42\n' }),
      say('42'),
    ]);
    const opened = await harness.fetch(`/v1/sessions/${sid}/events/stream?beta=true`);
    expect(opened.headers.get('content-type')).toBe(stream!.response.headers!['content-type']);
    expect(opened.headers.get('cache-control')).toBe(stream!.response.headers!['cache-control']);
    const reader = opened.body!.getReader();
    same(await call(send!, {}, `/v1/sessions/${sid}/events?beta=true`), send!);
    const expected = stream!.response.events!;
    for (const size of bursts(expected)) playBurst(harness, sid, size);

    const received = await readEvents(reader, expected.length);
    expect(received.map((event) => shape(event))).toEqual(expected.map((event) => shape(event)));
    expect(bursts(received)).toEqual(bursts(expected));
    expect(references(received)).toEqual(references(expected));
  });

  it('a denied approval', async () => {
    const { listed } = recording<{ listed: (WireEvent & { content_text?: string })[] }>('approval-denied');
    await begin({ serialization: { era: '2026-05', acceptedProcessedAt: 'null' } }, [
      think(),
      ask({ name: 'bash' }),
      say('ok'),
    ]);
    const sid = await harness.session();
    await harness.send(sid, message('go'));
    const sizes = bursts(listed);
    const answered = listed.findIndex(({ type }) => type === 'user.tool_confirmation');
    for (let played = 0; sizes.length > 0;) {
      if (played === answered) {
        const call = (await harness.events(sid)).find(({ type }) => type === 'agent.tool_use')!;
        const [accepted] = await harness.send(sid, deny(call.id, listed[answered]!.deny_message as string));
        expect(accepted).toHaveProperty('processed_at', null);
      }
      const size = sizes.shift()!;
      playBurst(harness, sid, size);
      played += size;
    }
    const events = await streamed(sid);
    const use = events.find(({ type }) => type === 'agent.tool_use')!.id;
    expect(bursts(events)).toEqual(bursts(listed));
    listed.forEach(({ processed_at: _, content_text, ...recorded }, index) => {
      const wanted = JSON.parse(JSON.stringify(recorded).replaceAll('TOOL_USE', use)) as object;
      expect(events[index]).toMatchObject(wanted);
      if (content_text) expect(events[index]).toMatchObject({ content: [{ type: 'text', text: content_text }] });
    });
  });

  it('a message sent while a tool ran', async () => {
    const { listed } = recording<{ listed: (WireEvent & { which?: string })[] }>('message-while-running');
    await begin({}, [think(), tool({ name: 'bash', input: { command: 'sleep 25' } }), say('done')]);
    const sid = await harness.session();
    await harness.send(sid, message('A'));
    const toolEnds = listed.findIndex(({ type }) => type === 'agent.tool_result');
    let played = 0;
    for (const size of bursts(listed)) {
      if (played === toolEnds) await harness.send(sid, message('B'));
      playBurst(harness, sid, size);
      played += size;
    }
    const events = await streamed(sid);
    expect(bursts(events)).toEqual(bursts(listed));
    listed.forEach(({ processed_at: _, which, ...recorded }, index) => {
      expect(events[index]).toMatchObject(recorded);
      if (which) expect(events[index]).toMatchObject({ content: [{ type: 'text', text: which }] });
    });
  });
});

async function readEvents(reader: ReadableStreamDefaultReader<Uint8Array>, count: number): Promise<WireEvent[]> {
  const decoder = new TextDecoder();
  let text = '';
  let frames: RegExpMatchArray[] = [];
  while (frames.length < count) {
    const { done, value } = await reader.read();
    if (done) break;
    text += decoder.decode(value, { stream: true });
    frames = [...text.matchAll(/^event: message\ndata: (.*)\n\n/gm)];
  }
  await reader.cancel();
  expect(text.startsWith(': connected\n')).toBe(true);
  return frames.map(([, data]) => JSON.parse(data!) as WireEvent);
}

/** Which event each reference points to, by its place. */
function references(events: readonly WireEvent[]): number[] {
  const fields = ['model_request_start_id', 'tool_use_id'];
  const ids = events.flatMap((event) => fields.flatMap((field) => (field in event ? [event[field]] : [])));
  return ids.map((id) => events.findIndex((event) => event.id === id));
}
