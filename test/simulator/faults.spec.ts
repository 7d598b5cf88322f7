import Anthropic from '@anthropic-ai/sdk';
import { ask, burst, customTool, late, RealClock, say, think, transientUnknownToolUse } from './index.js';
import { allow, Harness, message, refusal } from './harness.js';
import { eventually } from '../support/eventually.js';

describe('faults', () => {
  let harness: Harness;
  beforeEach(async () => {
    harness = await Harness.start({}, [think(), say('ok')]);
  });
  afterEach(() => harness.close());

  it.each([
    [429, 'rate_limit_error'],
    [529, 'overloaded_error'],
    [500, 'api_error'],
    [401, 'authentication_error'],
    [403, 'permission_error'],
    [404, 'not_found_error'],
    [409, 'invalid_request_error'],
    [413, 'request_too_large'],
    [400, 'invalid_request_error'],
  ])('answer %i with the usual %s', async (status, type) => {
    harness.sim.faults.add({ status });
    expect(await refusal(harness.sessions.list())).toMatchObject({ status, type });
    await expect(harness.sessions.list()).resolves.toBeDefined();
  });

  it('carry retry-after, other errors and their details', async () => {
    harness.sim.faults.add({ status: 429, retryAfter: 7 });
    expect((await harness.fetch('/v1/sessions')).headers.get('retry-after')).toBe('7');
    harness.sim.faults.add({ status: 400, error: { message: 'm', details: { error_code: 'organization_on_hold' } } });
    expect(await refusal(harness.sessions.list())).toMatchObject({ message: 'm', errorCode: 'organization_on_hold' });
  });

  it('hit matching requests only, as often as told, after as many as told', async () => {
    const { faults } = harness.sim;
    const disarm = faults.add({ method: 'GET', path: /\/agents$/, status: 500, times: Infinity, after: 1 });
    const status = async (path: string) => (await harness.fetch(path)).status;
    expect(await status('/v1/agents')).toBe(200);
    expect(await status('/v1/environments')).toBe(200);
    expect(await status('/v1/agents')).toBe(500);
    expect(await status('/v1/agents')).toBe(500);
    disarm();
    expect(await status('/v1/agents')).toBe(200);
    faults.add({ status: 500, times: 2 });
    expect([await status('/v1/agents'), await status('/v1/agents'), await status('/v1/agents')]).toEqual([
      500, 500, 200,
    ]);
    faults.add({ status: 500 });
    faults.clear();
    expect(await status('/v1/agents')).toBe(200);
  });

  it('are retried by the SDK as in production', async () => {
    harness.sim.faults.add({ status: 529, times: 2, headers: { 'retry-after-ms': '1' } });
    const patient = new Anthropic({ apiKey: 'k', baseURL: harness.sim.url });
    await expect(patient.beta.agents.list()).resolves.toBeDefined();
    expect(harness.sim.requests).toHaveLength(3);
  });

  it('hold an answer back on the clock', async () => {
    harness.sim.faults.add({ delayMs: 30_000 });
    let answered = false;
    const call = harness.sessions.list().then(() => (answered = true));
    await eventually('a request', () => harness.sim.requests.length);
    harness.clock.advance(29_999);
    await harness.client.beta.agents.list();
    expect(answered).toBe(false);
    harness.clock.advance(1);
    await call;
  });

  it('lose the request, or process it and lose the answer', async () => {
    const sid = await harness.session();
    harness.sim.faults.add({ method: 'POST', reset: 'before' });
    await expect(harness.send(sid, message('lost'))).rejects.toThrow(Anthropic.APIConnectionError);
    expect(await harness.events(sid)).toEqual([]);
    harness.sim.faults.add({ method: 'POST', reset: 'after' });
    await expect(harness.send(sid, message('kept'))).rejects.toThrow(Anthropic.APIConnectionError);
    await harness.sim.settle();
    expect((await harness.types(sid)).at(-1)).toBe('session.status_idle');
  });

  it('break the body', async () => {
    harness.sim.faults.add({ invalidJson: true });
    await expect(harness.client.beta.agents.list()).rejects.toThrow();
  });

  it('stop in the middle of the body', async () => {
    harness.sim.faults.add({ stalls: true });
    const reader = (await harness.fetch('/v1/agents')).body!.getReader();
    const { value } = (await reader.read()) as { value: Uint8Array };
    expect(Buffer.from(value).toString()).toMatch(/^\{"data":\[/);
    const rest = jest.fn();
    void reader.read().then(rest, () => undefined);
    await harness.fetch('/v1/agents');
    expect(rest).not.toHaveBeenCalled();
  });

  it('cut a stream in the middle of a frame', async () => {
    const sid = await harness.session();
    harness.sim.faults.add({ path: /stream$/, truncateAfter: 2 });
    const stream = await harness.sessions.events.stream(sid);
    await harness.send(sid, message('go'));
    const seen: string[] = [];
    const reading = (async () => {
      for await (const { type } of stream) seen.push(type);
    })();
    await expect(reading).rejects.toThrow();
    expect(seen).toEqual(['user.message', 'session.status_running']);
  });

  it('deliver events twice, in a list and on a stream', async () => {
    const sid = await harness.session('go');
    const once = await harness.types(sid);
    harness.sim.faults.add({ method: 'GET', path: /\/events$/, duplicates: true });
    expect(await harness.types(sid)).toEqual(once.flatMap((type) => [type, type]));
    harness.sim.faults.add({ path: /stream$/, duplicates: true });
    const stream = await harness.sessions.events.stream(sid);
    await harness.send(sid, message('go'));
    const seen: string[] = [];
    for await (const { type } of stream) if (seen.push(type) === 4) break;
    expect(seen).toEqual(['user.message', 'user.message', 'session.status_running', 'session.status_running']);
  });

  it('race: the session is gone or archived when the request arrives', async () => {
    const sid = await harness.session();
    harness.sim.faults.add({ method: 'POST', race: ({ sessions }) => sessions.archive(sid) });
    expect((await refusal(harness.send(sid, message('late')))).status).toBe(400);
    harness.sim.faults.add({ race: ({ sessions }) => sessions.delete(sid) });
    expect((await refusal(harness.sessions.retrieve(sid))).status).toBe(404);
  });

  it('refuse a result right after its call once', async () => {
    harness.sim.scenarios.set(harness.agentId, [ask({ name: 'bash' }), say('ok')]);
    const sid = await harness.session('go');
    const call = (await harness.events(sid)).find(({ type }) => type === 'agent.tool_use')!;
    harness.sim.faults.add(transientUnknownToolUse);
    expect((await refusal(harness.send(sid, allow(call.id)))).message).toContain('does not match any `agent.tool_use`');
    await harness.sendAndSettle(sid, allow(call.id));
  });

  it('say so when it is the test that fails', async () => {
    harness.sim.faults.add({
      race: () => {
        throw new Error('a bug in the test');
      },
    });
    expect((await refusal(harness.sessions.list())).message).toContain('a bug in the test');
  });
});

describe('pollution', () => {
  let harness: Harness;
  afterEach(() => harness.close());

  const texts = async (sid: string) =>
    (await harness.events(sid))
      .filter(({ type }) => type === 'agent.message')
      .map(({ content }) => (content as { text: string }[])[0]!.text);
  const stamps = async (sid: string) => (await harness.events(sid)).map(({ processed_at }) => processed_at!);

  it('gives one stamp to the events of a burst', async () => {
    harness = await Harness.start({ pollution: { ties: true } }, [say('ok')]);
    expect(new Set(await stamps(await harness.session('go'))).size).toBe(1);
  });

  it('lists results and messages after later stamps', async () => {
    const scenario = [customTool({ name: 'x' }), say('ok')];
    harness = await Harness.start(
      { pollution: { lateStamps: 110 }, serialization: { listOrder: 'arrival' } },
      scenario,
    );
    const all = await stamps(await harness.session('go'));
    expect(all).not.toEqual([...all].sort());
  });

  it('sorts the list by stamp otherwise', async () => {
    harness = await Harness.start({ pollution: { lateStamps: 110 } }, [say('ok'), burst(3, 1000), late('early', 1500)]);
    const sid = await harness.session('go');
    const all = await stamps(sid);
    expect(all).toEqual([...all].sort());
    expect((await texts(sid)).slice(-4)).toEqual(['message 1', 'early', 'message 2', 'message 3']);
  });

  it('never stamps messages, and puts them where they were processed', async () => {
    harness = await Harness.start({ pollution: { unstampedMessages: true } }, [say('ok')]);
    const events = await harness.events(await harness.session('go'));
    const at = events.findIndex(({ type }) => type === 'user.message');
    expect(events[at]!.processed_at).toBeNull();
    expect(events.slice(at + 1).map(({ type }) => type)).toContain('session.status_idle');
  });

  it('leaves types out of the list', async () => {
    harness = await Harness.start({ pollution: { unlistedTypes: ['agent.message'] } }, [say('ok')]);
    expect(await harness.types(await harness.session('go'))).not.toContain('agent.message');
  });

  it('puts unknown types, stop reasons and fields among the known ones', async () => {
    harness = await Harness.start({ pollution: { unknownEvents: true, unknownStopReason: true } }, [say('ok')]);
    const sid = await harness.session('go');
    expect(await harness.types(sid)).toContain('agent.premonition');
    expect((await harness.events(sid)).at(-1)).toMatchObject({ stop_reason: { type: 'lost_interest' } });
    harness.sim.pollution.unknownFields = true;
    expect(await harness.sessions.retrieve(sid)).toHaveProperty('from_the_future');
    expect((await harness.events(sid)).every((event) => 'from_the_future' in event)).toBe(true);
  });

  it('delivers everything twice', async () => {
    harness = await Harness.start({}, [say('ok')]);
    const sid = await harness.session('go');
    const once = await harness.types(sid);
    harness.sim.pollution.duplicates = true;
    expect(await harness.types(sid)).toHaveLength(once.length * 2);
    expect(await harness.send(sid, message('more'))).toHaveLength(1);
  });

  it('replays events that were recorded elsewhere, exactly', async () => {
    harness = await Harness.start();
    const sid = await harness.session();
    const strange = {
      id: 'sevt_x',
      type: 'session.status_idle',
      processed_at: '2026-01-01T00:00:00Z',
      stop_reason: null,
    };
    harness.sim.world.sessions.get(sid).appendRaw(strange);
    expect(await harness.events(sid)).toEqual([strange]);
  });
});

describe('the real clock', () => {
  it('needs nobody to move it', async () => {
    const harness = await Harness.start({ clock: new RealClock(), agentPace: 1 }, [think(), say('ok')]);
    const sid = await harness.session('go');
    expect((await harness.types(sid)).at(-1)).toBe('session.status_idle');
    await harness.close();
  });
});
