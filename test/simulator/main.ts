import { DEFAULT_KEYWORDS } from './default-scenario.js';
import { FIXTURES, Simulator } from './index.js';

const DEFAULT_PORT = 8123;
/** Slow enough to be watched. */
const PACE_MS = 300;

function readPort(args: readonly string[]): number {
  const index = args.indexOf('--port');
  const port = index < 0 ? DEFAULT_PORT : Number(args[index + 1]);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new Error('--port needs a number from 0 to 65535');
  return port;
}

function table(entries: Record<string, string>): string {
  const width = Math.max(...Object.keys(entries).map(({ length }) => length));
  return Object.entries(entries)
    .map(([key, value]) => `  ${key.padEnd(width)}  ${value}`)
    .join('\n');
}

async function main(): Promise<void> {
  const host = process.argv.includes('--public') ? '0.0.0.0' : '127.0.0.1';
  const port = readPort(process.argv);
  const simulator = await Simulator.start({ port, host, fixtures: true, agentPace: PACE_MS });
  console.log(`Managed Agents simulator on ${simulator.url}

Any API key will do:
  export ANTHROPIC_BASE_URL=${simulator.url} ANTHROPIC_API_KEY=any

Agents
${table(FIXTURES.agents)}
Environments
${table(FIXTURES.environments)}
Vaults
${table(FIXTURES.vaults)}
Memory stores
${table(FIXTURES.memoryStores)}

What the analyst, the researcher and agents you create yourself do with a message:
${table(DEFAULT_KEYWORDS)}
The deployer asks twice, the support agent calls a custom tool, the coordinator's child asks, and failing fails.

Ctrl-C ends it.`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      simulator.close().catch((error: unknown) => {
        console.error(error);
        process.exitCode = 1;
      });
    });
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
