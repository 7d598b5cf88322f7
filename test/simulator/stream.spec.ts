import { Harness, message, refusal } from './harness.js';
import { say, think } from './index.js';
import { eventually } from '../support/eventually.js';

/** Reads a stream as it travels, comments included, until it ends. */
class RawStream {
  text = '';
  ended = false;
  brokenBy: unknown;
  private constructor(readonly response: Response) {}

  static async open(harness: Harness, path: string): Promise<RawStream> {
    const raw = new RawStream(await harness.fetch(path));
    void raw.read();
    return raw;
  }

  private async read(): Promise<void> {
    const decoder = new TextDecoder();
    try {
      for await (const chunk of this.response.body!) this.text += decoder.decode(chunk as Uint8Array, { stream: true });
    } catch (error) {
      // A stream that breaks has ended too.
      this.brokenBy = error;
    }
    this.ended = true;
  }

  /** Waits for what the server has already written to arrive here. */
  async until(condition: () => boolean): Promise<void> {
    await eventually(
      'frames of the stream',
      () => ({ text: this.text, isThere: condition() }),
      ({ isThere }) => isThere,
    );
  }

  get frames(): { type: string; id?: string }[] {
    const data = [...this.text.matchAll(/^event: message\ndata: (.*)\n\n/gm)];
    return data.map(([, json]) => JSON.parse(json!) as { type: string });
  }
}

describe('the event stream', () => {
  let harness: Harness;
  afterEach(() => harness.close());

  const open = (sid: string, query = '') => RawStream.open(harness, `/v1/sessions/${sid}/events/stream${query}`);

  it('starts with a comment, frames events as messages, and stays open after idle', async () => {
    harness = await Harness.start({}, [say('ok')]);
    const sid = await harness.session();
    const stream = await open(sid);
    expect(stream.response.headers.get('content-type')).toBe('text/event-stream');
    expect(stream.response.headers.get('cache-control')).toBe('no-cache, no-transform');
    await stream.until(() => stream.text !== '');
    expect(stream.text).toBe(': connected\n\n');
    await harness.sendAndSettle(sid, message('go'));
    await stream.until(() => stream.frames.at(-1)?.type === 'session.status_idle');
    expect(stream.ended).toBe(false);
    const listed = await harness.events(sid);
    expect(stream.frames.slice(1)).toEqual(listed);
  });

  it('shows input when it is queued and again, under the same id, when it is processed', async () => {
    harness = await Harness.start({}, [say('ok')]);
    const sid = await harness.session();
    const stream = await open(sid);
    const [accepted] = await harness.sendAndSettle(sid, message('go'));
    await stream.until(() => stream.frames.at(-1)?.type === 'session.status_idle');
    const copies = stream.frames.filter(({ id }) => id === accepted?.id);
    expect(copies).toMatchObject([{ processed_at: null }, { processed_at: expect.any(String) as string }]);
  });

  it('can leave the queued copy out', async () => {
    harness = await Harness.start({ serialization: { queuedCopies: false } }, [say('ok')]);
    const sid = await harness.session();
    const stream = await open(sid);
    await harness.sendAndSettle(sid, message('go'));
    await stream.until(() => stream.frames.at(-1)?.type === 'session.status_idle');
    expect(stream.frames).toEqual(await harness.events(sid));
  });

  it('does not replay', async () => {
    harness = await Harness.start({}, [say('ok')]);
    const sid = await harness.session('before');
    const stream = await open(sid);
    await harness.sendAndSettle(sid, message('after'));
    await stream.until(() => stream.frames.at(-1)?.type === 'session.status_idle');
    expect(stream.text).not.toContain('before');
  });

  it('is kept alive by comments and closed ten minutes after its last event', async () => {
    harness = await Harness.start({}, [say('ok')]);
    const sid = await harness.session();
    const stream = await open(sid);
    await stream.until(() => stream.text !== '');
    harness.clock.advance(500_000);
    await harness.sendAndSettle(sid, message('go'));
    harness.clock.advance(599_999);
    expect(stream.ended).toBe(false);
    harness.clock.advance(1);
    await stream.until(() => stream.ended);
    expect(stream.text.match(/^:keepalive$/gm)).toHaveLength(36);
  });

  it('says farewell when its session is deleted', async () => {
    harness = await Harness.start();
    const sid = await harness.session();
    const types: string[] = [];
    const stream = await harness.sessions.events.stream(sid);
    await harness.sessions.delete(sid);
    for await (const { type } of stream) types.push(type);
    expect(types).toEqual(['session.deleted']);
    expect((await refusal(harness.sessions.events.stream(sid))).status).toBe(404);
  });

  it('previews messages and thinking to those who ask', async () => {
    harness = await Harness.start({}, [think(), say('one two')]);
    const sid = await harness.session();
    const stream = await open(sid, '?event_deltas[]=agent.message');
    await harness.sendAndSettle(sid, message('go'));
    await stream.until(() => stream.frames.at(-1)?.type === 'session.status_idle');
    const { frames } = stream;
    const spoken = frames.find(({ type }) => type === 'agent.message')!;
    const previews = frames.filter(({ type }) => type.startsWith('event_'));
    expect(previews).toEqual([
      { type: 'event_start', event: { type: 'agent.message', id: spoken.id } },
      ...['one ', 'two'].map((text) => ({
        type: 'event_delta',
        event_id: spoken.id,
        delta: { type: 'content_delta', index: 0, content: { type: 'text', text } },
      })),
    ]);
    expect(frames.indexOf(spoken)).toBe(frames.indexOf(previews.at(-1)!) + 1);
    expect(await harness.types(sid)).not.toContain('event_start');
  });

  it('refuses previews of other types, or too many', async () => {
    harness = await Harness.start();
    const sid = await harness.session();
    const status = async (values: string[]) =>
      (await harness.fetch(`/v1/sessions/${sid}/events/stream?${values.map((v) => `event_deltas[]=${v}`).join('&')}`))
        .status;
    expect(await status(['agent.tool_use'])).toBe(400);
    expect(await status(Array.from({ length: 101 }, () => 'agent.message'))).toBe(400);
  });

  it('ends with its client and with the simulator', async () => {
    harness = await Harness.start({}, [say('ok')]);
    const sid = await harness.session();
    const left = await harness.sessions.events.stream(sid);
    left.controller.abort();
    const stream = await open(sid);
    await harness.sim.close();
    await stream.until(() => stream.ended);
  });
});
