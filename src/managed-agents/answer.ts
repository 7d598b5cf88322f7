import { APIConnectionError, type Middleware } from '@anthropic-ai/sdk';
import { limitedSignal } from '../context/limited-signal.js';
import { type ApiCall, apiCallOf, type Item } from './operations.js';
import { UnusableAnswerError } from './unusable-answer.error.js';
import { currentRequest } from '../context/request.js';
import { Logger } from '@nestjs/common';
import { isJsonObject, type JsonObject } from '../common/json.js';
import { boundNesting } from './bound-nesting.js';
import { isId } from './ids.js';
import { parseTime } from './log/time.js';

export interface AnswerLimits {
  /** What one attempt may take until its answer has been read, unless its request sets a limit of its own. */
  readonly timeoutMs: number;
  /** Size of one answer, decompressed. */
  readonly maxBytes: number;
  /** Size of one event of a stream, decompressed. */
  readonly maxEventBytes: number;
}

/** An error body is read up to here; the API's own have a few hundred bytes. */
const MAX_ERROR_BYTES = 64 * 1024;

/**
 * Reads each answer as part of the attempt, bounded in time and size, and checks that it is one of the API: the SDK's
 * time limit ends with the headers, and the SDK takes any text or JSON for an answer. Event streams stay open; each of
 * their events is bounded. Redirects are not followed, because the credential would go along.
 */
export function readAnswers({ timeoutMs, maxBytes, maxEventBytes }: AnswerLimits): Middleware {
  return async (request, next, context) => {
    // The credential chain asks for its tokens without a signal.
    const ended = request.signal ?? currentRequest()?.ended;
    const attempt = limitedSignal(ended, context.options?.timeout ?? timeoutMs);
    let isStream = false;
    try {
      const response = await next({ ...request, redirect: 'manual', signal: attempt.signal });
      refuseRedirect(response, request.url);
      isStream = context.options?.stream === true && response.ok;
      if (isStream) return openStream(response, maxEventBytes);
      if (!response.ok) return await withBoundedError(response, attempt.signal);
      const bytes = await contentOf(response, maxBytes, attempt.signal);
      const apiCall = apiCallOf(context);
      if (!apiCall) return new Response(bytes, response);
      return new ParsedResponse(checkAnswer(apiCall, bytes, response), response);
    } finally {
      // A stream ends with the signal of its request, however long it lasts.
      if (isStream) attempt.stopClock();
      else attempt.release();
    }
  };
}

/** An answer that was parsed for the check. The SDK asks for its JSON and gets it, rather than parsing it again. */
class ParsedResponse extends Response {
  override readonly json: () => Promise<unknown>;

  constructor(value: unknown, { status, statusText, headers: original }: Response) {
    const headers = new Headers(original);
    headers.set('content-type', 'application/json');
    headers.delete('content-length');
    super(null, { status, statusText, headers });
    this.json = () => Promise.resolve(value);
  }
}

function refuseRedirect(response: Response, url: string): void {
  const { status } = response;
  if (status < 300 || status >= 400) return;
  void response.body?.cancel();
  const location = response.headers.get('location') ?? '';
  // Without its query, which can hold a token of the sign-in.
  const target = URL.canParse(location, url) ? new URL(location, url).origin : 'no readable address';
  throw new UnusableAnswerError('redirect', `redirected to ${target}`, response);
}

function openStream(response: Response, maxBytes: number): Response {
  const mediaType = response.headers.get('content-type')?.split(';')[0]?.trim();
  if (mediaType !== 'text/event-stream' || !response.body) {
    void response.body?.cancel();
    throw new UnusableAnswerError('not_the_api', 'expected a stream of events', response);
  }
  const chunks = response.body as unknown as AsyncIterable<Uint8Array>;
  return new Response(ReadableStream.from(boundedEvents(chunks, maxBytes, response)), response);
}

const LINE_FEED = 0x0a;

/** Passes chunks on until one event, from one blank line to the next, becomes too large. */
async function* boundedEvents(
  chunks: AsyncIterable<Uint8Array>,
  maxBytes: number,
  response: Response,
): AsyncGenerator<Uint8Array> {
  let event = 0;
  let line = 0;
  for await (const chunk of chunks) {
    let start = 0;
    for (let at = chunk.indexOf(LINE_FEED); at !== -1; at = chunk.indexOf(LINE_FEED, start)) {
      line += at - start;
      // A blank line has nothing before its line feed, or a carriage return.
      event = line <= 1 ? 0 : event + line;
      line = 0;
      start = at + 1;
      if (event > maxBytes) throw tooLarge('event', maxBytes, response);
    }
    line += chunk.byteLength - start;
    if (event + line > maxBytes) throw tooLarge('event', maxBytes, response);
    yield chunk;
  }
}

/** The body of a refusal that breaks off or is too large is dropped: its status says enough. */
async function withBoundedError(response: Response, signal: AbortSignal): Promise<Response> {
  if (!response.body) return response;
  const bytes = await contentOf(response, MAX_ERROR_BYTES, signal).catch(() => null);
  return new Response(bytes, response);
}

async function contentOf(response: Response, maxBytes: number, signal: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
      size += chunk.byteLength;
      if (size > maxBytes) throw tooLarge('answer', maxBytes, response);
      chunks.push(chunk);
    }
  } catch (failure) {
    if (signal.aborted || failure instanceof UnusableAnswerError) throw failure;
    // To the SDK, an answer that breaks off is a connection that failed, and may be tried again.
    throw new APIConnectionError({ cause: failure as Error });
  }
  return Buffer.concat(chunks);
}

function tooLarge(what: string, maxBytes: number, response: Response): UnusableAnswerError {
  return new UnusableAnswerError('too_large', `${what} of more than ${maxBytes} bytes`, response);
}

const logger = new Logger('ManagedAgentsApi');

/** What has to be right about a thing before anything else reads it: what this server relies on, and no more. */
const IS_READABLE: Readonly<Record<Item, (item: JsonObject) => boolean>> = {
  thing: hasId,
  session: (item) =>
    hasId(item) &&
    typeof item.status === 'string' &&
    typeof item.created_at === 'string' &&
    parseTime(item.created_at) !== undefined &&
    isJsonObject(item.agent) &&
    hasId(item.agent),
  event: ({ type }) => typeof type === 'string',
};

/**
 * Parses an answer and checks that it has the shape its operation promises. Items of a list that cannot be read are left
 * out, counted and logged; the others stand. Values that are nested too deeply are replaced by a text that says so.
 *
 * @throws {UnusableAnswerError} when the whole answer cannot be one of the API
 */
function checkAnswer(call: ApiCall, bytes: Uint8Array, response: Response): unknown {
  // The decoder drops a byte order mark.
  const body = boundNesting(parse(new TextDecoder().decode(bytes), response));
  const { answer } = call.operation;
  if (!isJsonObject(body)) throw notTheApi('no JSON object', response);
  if (answer.shape === 'list') {
    if (!Array.isArray(body.data)) throw notTheApi('no list', response);
    return { ...body, data: readable(call, answer.of, body.data) };
  }
  if (typeof body.id !== 'string' || typeof body.type !== 'string') throw notTheApi('no id or type', response);
  if (answer.shape === 'object' && !IS_READABLE[answer.of](body)) {
    throw new UnusableAnswerError('unreadable', `a ${answer.of} with unexpected fields`, response);
  }
  return body;
}

function parse(text: string, response: Response): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // JSON that is broken may come from the API; a page of a portal does not.
    const isJson = /^\s*[[{]/.test(text);
    throw isJson ? new UnusableAnswerError('unreadable', 'broken JSON', response) : notTheApi('no JSON', response);
  }
}

function readable(call: ApiCall, of: Item, items: readonly unknown[]): readonly unknown[] {
  const kept = items.filter((item) => isJsonObject(item) && IS_READABLE[of](item));
  call.unreadable = items.length - kept.length;
  if (call.unreadable > 0) {
    const { words } = call.operation;
    logger.warn({ message: 'items of a list could not be read', operation: words, unreadable: call.unreadable });
  }
  return call.unreadable > 0 ? kept : items;
}

function notTheApi(what: string, response: Response): UnusableAnswerError {
  return new UnusableAnswerError('not_the_api', what, response);
}

function hasId({ id }: JsonObject): boolean {
  return typeof id === 'string' && isId(id);
}
