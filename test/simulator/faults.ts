import type { RecordedRequest } from './http/recorder.js';
import type { World } from './world.js';

/** What goes wrong. Several of these may be combined in one fault. */
export interface Failure {
  /** Answer with this status and the error the API usually sends with it. The request is not processed. */
  status?: number;
  /** Replaces parts of the usual error. */
  error?: { type?: string; message?: string; details?: Record<string, unknown> };
  headers?: Record<string, string>;
  /** Seconds, sent as `retry-after`. */
  retryAfter?: number;
  /** Hold the request back this long before anything else happens, on the clock. */
  delayMs?: number;
  /** `before`: the request is lost. `after`: it is processed and the answer is lost. */
  reset?: 'before' | 'after';
  /** Status 200 with half a body. */
  invalidJson?: boolean;
  /** Status 200 with this JSON instead of the API's answer. The request is not processed. */
  answer?: unknown;
  /** Half of the answer's body arrives, and then nothing more: the connection stays open. */
  stalls?: boolean;
  /** The connection stays open and nothing is answered. */
  hangs?: boolean;
  /** Answer with a redirect to the same path below this address; the status is 307 unless said otherwise. */
  redirect?: string;
  /** Answer with this page, as the sign-in of a proxy does; the status is 200 unless said otherwise. */
  page?: string;
  /** A list answers with no items and a cursor to its start. */
  emptyPage?: boolean;
  /** A list or stream delivers each event twice. */
  duplicates?: boolean;
  /** A stream ends in the middle of the frame after this many whole ones. */
  truncateAfter?: number;
  /** A stream begins with these bytes, which the real API would not send. */
  garbled?: string;
  /** A stream is open and never shows an event. */
  mute?: boolean;
  /** Something else happens to the world just before the request arrives: archived, deleted, interrupted. */
  race?: (world: World, request: RecordedRequest) => void;
}

export interface Fault extends Failure {
  method?: string;
  /** Matched against the path without the query; everything when left out. */
  path?: RegExp;
  /** How many requests it hits; 1 unless said otherwise, Infinity for every one. */
  times?: number;
  /** How many matching requests pass unharmed first. */
  after?: number;
}

interface ArmedFault {
  readonly fault: Fault;
  skip: number;
  left: number;
}

export class Faults {
  private armed: ArmedFault[] = [];

  /** Arms a fault; the returned function disarms it. */
  add(fault: Fault): () => void {
    const armed = { fault, skip: fault.after ?? 0, left: fault.times ?? 1 };
    this.armed.push(armed);
    return () => {
      this.armed = this.armed.filter((other) => other !== armed);
    };
  }

  clear(): void {
    this.armed = [];
  }

  /** The first armed fault that matches is spent on the request. */
  take(method: string, path: string): Failure | undefined {
    for (const armed of this.armed) {
      const { fault } = armed;
      if (armed.left <= 0 || (fault.method && fault.method !== method)) continue;
      if (fault.path && path.search(fault.path) < 0) continue;
      if (armed.skip > 0) {
        armed.skip -= 1;
        continue;
      }
      armed.left -= 1;
      return fault;
    }
    return undefined;
  }
}

/** The brief refusal of a result that arrives right after a child thread's call was announced. */
export const transientUnknownToolUse: Fault = {
  method: 'POST',
  path: /\/events$/,
  status: 400,
  error: { message: '`tool_use_id` does not match any `agent.tool_use` event in this session' },
};
