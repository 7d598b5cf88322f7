import { QueuedSink } from './queued-sink.js';

/** How long one post may take, in milliseconds. */
const TIMEOUT_MS = 10_000;

/** Posts batches of lines to a collector. Redirects are not followed: the token is for this address alone. */
export function httpSink(url: string, token: string | undefined): QueuedSink {
  const headers = {
    'content-type': 'application/x-ndjson',
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
  };
  return new QueuedSink(`audit collector at ${new URL(url).host}`, async (lines) => {
    const body = lines.map((line) => `${line}\n`).join('');
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const answer = await fetch(url, { method: 'POST', headers, body, redirect: 'error', signal });
    // The connection is free for the next batch once the answer is read or given up.
    await answer.body?.cancel();
    if (!answer.ok) throw new Error(`status ${answer.status}`);
  });
}
