import { Cleanup } from './cleanup.js';
import { Stage } from './stage.js';
import { tell } from './story.js';
import { Unexpected } from './unexpected.js';

async function main(stage: Stage): Promise<void> {
  const started = performance.now();
  const cleanup = new Cleanup();
  stage.title(
    'Managed Agent Control: the whole loop',
    'A simulated Managed Agents API, the built server, a real MCP client. Nothing leaves this machine.',
  );
  const calls = await tell(stage, cleanup).catch(async (error: unknown) => {
    // What went wrong first is what counts; closing what is left over may well fail after it.
    await cleanup.run().catch(() => undefined);
    throw error;
  });
  await cleanup.run();
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  stage.summary(`${calls} tool calls over HTTP and stdio, all as expected, in ${seconds} s`);
}

const stage = new Stage(process.stdout);

// A signal ends a process without its exit handlers, which would leave the HTTP server behind.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

main(stage).catch((error: unknown) => {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  stage.failure(error instanceof Unexpected ? error.message : text);
  process.exitCode = 1;
});
