import { type ClientOptions } from '@anthropic-ai/sdk';
import { limitedSignal } from '../context/limited-signal.js';
import { currentRequest } from '../context/request.js';

type Middleware = NonNullable<ClientOptions['middleware']>[number];

/**
 * Reads each answer as part of the attempt. The SDK's own time limit ends with the headers, and a body can stall as well.
 * Event streams are handed on unread: they stay open.
 *
 * @param timeoutMs what one attempt may take, unless its request says otherwise
 */
export function readWithinAttempt(timeoutMs: number): Middleware {
  return async (request, next, { options }) => {
    // The credential chain asks for its tokens without a signal.
    const ended = request.signal ?? currentRequest()?.ended;
    const attempt = limitedSignal(ended, options?.timeout ?? timeoutMs);
    let isStream = false;
    try {
      const response = await next({ ...request, signal: attempt.signal });
      isStream = options?.stream === true && response.ok;
      return isStream || !response.body ? response : new Response(await contentOf(response), response);
    } finally {
      // A stream ends with the signal of its request, however long it lasts.
      if (isStream) attempt.stopClock();
      else attempt.release();
    }
  };
}

/** Of a refusal the status is enough: what its body says is worth no failure of its own. */
async function contentOf(response: Response): Promise<ReadableStream<Uint8Array> | null> {
  const chunks: Uint8Array[] = [];
  try {
    for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) chunks.push(chunk);
  } catch (failure) {
    if (response.ok) throw failure;
    return null;
  }
  return ReadableStream.from(chunks);
}
