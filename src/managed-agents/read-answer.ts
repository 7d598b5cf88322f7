import { APIConnectionError, type Middleware } from '@anthropic-ai/sdk';
import { limitedSignal } from '../context/limited-signal.js';
import { currentRequest } from '../context/request.js';

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
      return isStream || !response.body ? response : new Response(await contentOf(response, attempt.signal), response);
    } finally {
      // A stream ends with the signal of its request, however long it lasts.
      if (isStream) attempt.stopClock();
      else attempt.release();
    }
  };
}

/** The body of a refusal that breaks off is dropped: its status says enough. */
async function contentOf(response: Response, signal: AbortSignal): Promise<ReadableStream<Uint8Array> | null> {
  const chunks: Uint8Array[] = [];
  try {
    for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) chunks.push(chunk);
  } catch (failure) {
    if (!response.ok) return null;
    if (signal.aborted) throw failure;
    // To the SDK, an answer that breaks off is a connection that failed, and may be tried again.
    throw new APIConnectionError({ cause: failure as Error });
  }
  return ReadableStream.from(chunks);
}
