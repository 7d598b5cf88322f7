import { getEventListeners } from 'node:events';
import { readAnswers } from './answer.js';

type Middleware = ReturnType<typeof readAnswers>;
type Request = Parameters<Middleware>[0];
type Context = Parameters<Middleware>[2];

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

const TIMEOUT_MS = 1000;
const LIMITS = { timeoutMs: TIMEOUT_MS, maxBytes: 1000, maxEventBytes: 100 };
const HOUR_MS = 3_600_000;

/** One attempt whose answer is this, and the signal that would end it. */
async function attempt(answer: Response, options: object) {
  const caller = new AbortController();
  let signal: AbortSignal | null | undefined;
  const next = (request: Request) => {
    signal = request.signal;
    return Promise.resolve(answer);
  };
  const request = { url: 'https://api.example/v1', headers: new Headers(), signal: caller.signal } as Request;
  const response = await readAnswers(LIMITS)(request, next, { options } as Context);
  return { response, caller, signal: signal! };
}

it('leaves an event stream open for as long as it lasts, and lets its request end it', async () => {
  const stream = new Response(new ReadableStream(), { headers: { 'content-type': 'text/event-stream' } });
  const { response, caller, signal } = await attempt(stream, { stream: true });
  jest.advanceTimersByTime(HOUR_MS);
  expect(response.status).toBe(200);
  expect(signal.aborted).toBe(false);
  caller.abort();
  expect(signal.aborted).toBe(true);
});

it('hands on what it read, and leaves neither timer nor listener behind', async () => {
  const answer = new Response('{"data":[]}', { status: 201, headers: { 'request-id': 'req_1' } });
  const { response, caller } = await attempt(answer, {});
  expect(await response.json()).toEqual({ data: [] });
  expect([response.status, response.headers.get('request-id')]).toEqual([201, 'req_1']);
  expect(jest.getTimerCount()).toBe(0);
  expect(getEventListeners(caller.signal, 'abort')).toEqual([]);
});

it('gives each request the time it asks for', async () => {
  const slow = new AbortController();
  const next = ({ signal }: Request) =>
    new Promise<Response>((_, reject) =>
      signal!.addEventListener('abort', () => {
        slow.abort();
        reject(new Error('given up'));
      }),
    );
  const request = { url: 'https://api.example/v1', headers: new Headers() } as Request;
  const answer = readAnswers(LIMITS)(request, next, { options: { timeout: 50 } } as Context);
  jest.advanceTimersByTime(49);
  expect(slow.signal.aborted).toBe(false);
  jest.advanceTimersByTime(1);
  await expect(answer).rejects.toThrow('given up');
});
