import { readFileSync } from 'node:fs';

/**
 * Loaded before a server with --require: answers its API calls inside the process. What remains is the server's own
 * work, the API client's included.
 */
const answers = JSON.parse(readFileSync(process.env.BENCH_ANSWERS!, 'utf8')) as Record<string, string>;
const headers = { 'content-type': 'application/json', 'request-id': 'req_canned' };

globalThis.fetch = (target) => {
  const { pathname } = new URL(target instanceof Request ? target.url : target);
  const answer = answers[pathname];
  return Promise.resolve(new Response(answer, { status: answer === undefined ? 404 : 200, headers }));
};
