import { readFileSync } from 'node:fs';

/**
 * A cold start, in a process of its own: loads the handler named first, gives it the event in the file named second, and
 * tells how long it took from `require` to the answer.
 */
interface Handler {
  readonly handler: (event: object, context: object) => Promise<{ statusCode: number; body: string }>;
}

async function main([script = '', eventFile = '']: readonly string[]): Promise<void> {
  const event = JSON.parse(readFileSync(eventFile, 'utf8')) as object;
  const startedAt = performance.now();
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- what is measured is the require itself
  const { handler } = require(script) as Handler;
  const { statusCode, body } = await handler(event, { awsRequestId: 'bench', getRemainingTimeInMillis: () => 30_000 });
  const ms = performance.now() - startedAt;
  process.send?.({ ms, statusCode, body });
}

void main(process.argv.slice(2));
