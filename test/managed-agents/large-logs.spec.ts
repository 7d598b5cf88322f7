import { AnthropicSettings } from '../../src/config/anthropic.settings.js';
import { createApiClient } from '../../src/managed-agents/api-client.js';
import { EventLogService } from '../../src/managed-agents/event-log.service.js';
import { cursorAtStart } from '../../src/managed-agents/log/cursor.js';
import { SessionStats } from '../../src/managed-agents/session-stats.js';

const KB = 1024;
const MB = 1024 * KB;
/** As long as the API lets the result of a tool become. */
const EVENT_BYTES = 100_000;
const CHUNK_BYTES = 64 * KB;
const EVENTS = 100;
const READERS = 12;

const eventOf = (index: number) => ({
  id: `sevt_${index}`,
  type: 'agent.tool_result',
  processed_at: new Date(Date.UTC(2026, 7, 17) + index * 60_000).toISOString(),
  content: 'x'.repeat(EVENT_BYTES),
});

function pageOf(start: number, end: number): Buffer {
  const data = Array.from({ length: end - start }, (_, index) => eventOf(start + index));
  return Buffer.from(JSON.stringify({ data, next_page: end < EVENTS ? String(end) : null }));
}

/** An API whose logs have a hundred such events each. Bodies are sent as they are asked for, and every byte is counted. */
class LargeLogs {
  requests = 0;
  sent = 0;
  /** Bytes of answers that a reading has taken and may hold, by session. */
  readonly held = new Map<string, number>();
  mostHeld = 0;
  largestAnswer = 0;

  readonly fetch = (url: unknown): Promise<Response> => {
    this.requests += 1;
    const { pathname, searchParams } = new URL(String(url));
    const start = Number(searchParams.get('page') ?? 0);
    const end = Math.min(start + Number(searchParams.get('limit')), EVENTS);
    const body = pageOf(start, end);
    return Promise.resolve(
      new Response(this.bodyOf(body, pathname), { headers: { 'content-type': 'application/json' } }),
    );
  };

  /** Of a reading that has ended nothing is held. */
  ended(sessionId: string): void {
    this.held.delete(`/v1/sessions/${sessionId}/events`);
  }

  private bodyOf(body: Buffer, key: string): ReadableStream<Uint8Array> {
    let at = 0;
    const pull = async (controller: ReadableStreamDefaultController<Uint8Array>) => {
      await new Promise(setImmediate);
      if (at >= body.length) return controller.close();
      const chunk = body.subarray(at, at + CHUNK_BYTES);
      at += chunk.length;
      this.count(key, chunk.length, at);
      controller.enqueue(new Uint8Array(chunk));
    };
    return new ReadableStream({ pull }, { highWaterMark: 0 });
  }

  private count(key: string, bytes: number, ofAnswer: number): void {
    this.sent += bytes;
    this.held.set(key, (this.held.get(key) ?? 0) + bytes);
    this.largestAnswer = Math.max(this.largestAnswer, ofAnswer);
    const total = [...this.held.values()].reduce((sum, each) => sum + each, 0);
    this.mostHeld = Math.max(this.mostHeld, total);
  }
}

function serviceOf(api: LargeLogs): EventLogService {
  const settings = { apiKey: 'any', baseUrl: 'https://api.example', timeoutSeconds: 30, maxRetries: 0 };
  const client = createApiClient(Object.assign(new AnthropicSettings(), settings), undefined, { fetch: api.fetch });
  return new EventLogService(client, new SessionStats());
}

it('holds little of many large logs at once, and delivers of each as much as an answer can use', async () => {
  const api = new LargeLogs();
  const log = serviceOf(api);
  const reads = await Promise.all(
    Array.from({ length: READERS }, async (_, index) => {
      const sessionId = `sesn_${index}`;
      const read = await log.read(sessionId, { since: cursorAtStart(sessionId), limit: 200 });
      api.ended(sessionId);
      return read;
    }),
  );
  for (const { events, hasMore } of reads) {
    expect(events.length).toBeGreaterThanOrEqual(20);
    expect(events.map(({ id }) => id)).toEqual(events.map((_, index) => `sevt_${index}`));
    expect(hasMore).toBe(true);
  }
  expect(api.largestAnswer).toBeLessThanOrEqual(2 * MB + CHUNK_BYTES);
  // Four have their turn, with one answer that was too large and two pages; the others wait, each at the first quarter.
  const bound = 4 * 6 * MB + (READERS - 4) * (256 * KB + 2 * CHUNK_BYTES);
  expect(api.mostHeld).toBeLessThanOrEqual(bound);
});

it('reads the situation of a large log in pages of bounded size', async () => {
  const api = new LargeLogs();
  await expect(serviceOf(api).situation('sesn_1')).resolves.toMatchObject({ complete: true });
  expect(api.largestAnswer).toBeLessThanOrEqual(2 * MB + CHUNK_BYTES);
  expect(api.requests).toBeLessThanOrEqual(12);
});
