import { parseJsonObject } from '../../common/json.js';
import { outboundFetch } from '../../egress/outbound-fetch.js';

/** Answers of providers are small; a larger body is a mistake or an attack. In bytes. */
const MAX_BYTES = 512 * 1024;
/** Longest chain of causes in one message. */
const MAX_CAUSES = 3;

export interface Answer {
  readonly status: number;
  readonly text: string;
}

/**
 * A request to an address that the operator configured, limited in time and size. Redirects are errors: they would lead
 * to addresses that the operator did not choose.
 */
export async function limitedFetch(url: string, timeoutMs: number, init: RequestInit = {}): Promise<Answer> {
  const response = await outboundFetch(url, { ...init, redirect: 'error', signal: AbortSignal.timeout(timeoutMs) });
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size > MAX_BYTES) throw new Error(`${url} answered with more than ${MAX_BYTES} bytes`);
    chunks.push(chunk);
  }
  return { status: response.status, text: Buffer.concat(chunks).toString('utf8') };
}

/** A JSON object from a provider. */
export async function fetchObject(url: string, timeoutMs: number): Promise<Record<string, unknown>> {
  const { status, text } = await limitedFetch(url, timeoutMs, { headers: { accept: 'application/json' } });
  if (status !== 200) throw new Error(`${url} answered with status ${status}`);
  const value = parseJsonObject(text);
  if (!value) throw new Error(`${url} did not answer with a JSON object`);
  return value;
}

/** An error and its causes in one line; `fetch` puts the actual failure into the cause. */
export function errorChain(error: unknown): string {
  const reasons: string[] = [];
  for (let cause = error; cause instanceof Error && reasons.length < MAX_CAUSES; cause = cause.cause) {
    const { code } = cause as NodeJS.ErrnoException;
    reasons.push(code ? `${cause.message} (${code})` : cause.message);
  }
  return reasons.length > 0 ? reasons.join(': ') : String(error);
}
