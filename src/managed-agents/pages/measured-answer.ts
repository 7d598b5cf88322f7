import { type ClientOptions } from '@anthropic-ai/sdk';
import { type Turn } from './turns.js';

type Middleware = NonNullable<ClientOptions['middleware']>[number];

/** From so many bytes on an answer waits for its turn to be read on. Ordinary pages are smaller, and never wait. */
const LARGE_BYTES = 256 * 1024;

/** Measures an answer while it arrives, and cuts it off where it is too large. */
export class MeasuredAnswer {
  bytes = 0;
  isCut = false;

  constructor(
    private readonly maxBytes: number,
    private readonly turn: Turn,
  ) {}

  readonly middleware: Middleware = async (request, next) => {
    const response = await next(request);
    if (!response.ok || !response.body) return response;
    const chunks = response.body as unknown as AsyncIterable<Uint8Array>;
    return new Response(ReadableStream.from(this.measured(chunks, request.signal!)), response);
  };

  private async *measured(chunks: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    // Another attempt begins anew.
    this.bytes = 0;
    for await (const chunk of chunks) {
      this.bytes += chunk.byteLength;
      this.isCut = this.bytes > this.maxBytes;
      if (this.isCut) return;
      if (this.bytes > LARGE_BYTES) await this.turn.take(signal);
      yield chunk;
    }
  }
}
