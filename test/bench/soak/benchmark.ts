import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { withServers } from '../benchmark.js';
import { compile, ROOT } from '../compile.js';
import { ERAS, toolsList } from '../exchange.js';
import { type Running } from '../load.js';
import { describeMachine } from '../machine.js';
import { forkUntilReady, type Program, sleep, stop } from '../process.js';
import { type Issued } from '../secured/caller.js';
import { secured } from '../secured/program.js';
import { MixedClient } from './mixed-client.js';
import { Observer } from './observer.js';
import { readSoakOptions, type SoakOptions } from './options.js';
import { isGood, render, RESIDENT_UNTIL_SHARE, save, SOAK_RESULTS_FILE, type SoakReport } from './report.js';

const SCRIPTS = ['soak/upstream', 'soak/heap-probe', 'secured/issuer'];

/** What the server holds while many connections make calls of all kinds, with sign-in and every rule switched on. */
export async function runSoakBenchmark(args: readonly string[]): Promise<void> {
  const options = readSoakOptions(args);
  const machine = describeMachine();
  await withProgram(async (program) => {
    const first = toolsList(ERAS[0]);
    const report = await withServers([program], first, async ([server]) => ({
      machine,
      options,
      ...(await load(server!, options)),
    }));
    save(report);
    console.log(`${render(report)}\n\nWritten to ${SOAK_RESULTS_FILE.slice(ROOT.length + 1)}.`);
    if (!isGood(report)) process.exitCode = 1;
  });
}

async function withProgram(work: (program: Program) => Promise<void>): Promise<void> {
  const scriptOf = compile(SCRIPTS);
  const folder = mkdtempSync(join(tmpdir(), 'bench-load-'));
  const issuer = await forkUntilReady<Issued>(scriptOf('secured/issuer'));
  const upstream = await forkUntilReady<{ url: string }>(scriptOf('soak/upstream'));
  try {
    const program = secured({ upstreamUrl: upstream.ready.url, issued: issuer.ready, folder });
    const nodeArgs = ['--require', scriptOf('soak/heap-probe')];
    await work({ ...program, nodeArgs, env: { ...program.env, ...ROOM } });
  } finally {
    await stop(upstream.child);
    await stop(issuer.child);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** All of the load is one caller's; limits count it, and must not refuse it. */
const ROOM = {
  MCP_MAX_STARTS_PER_HOUR: '100000',
  MCP_MAX_RUNNING_SESSIONS: '400',
  MCP_WAIT_READS_PER_MINUTE: '100000',
};

/** Well within the warm-up, and when all clients still work but resident memory is not looked at any more. */
const HEAP_LOOKS_AT = [0.15, RESIDENT_UNTIL_SHARE];

/** Clients begin one after the other, over about as long as a round of calls takes: in step they would come in waves. */
const START_WITHIN_MS = 8000;

async function load(
  { child, port, headers = {} }: Running,
  { connections, seconds, rest }: SoakOptions,
): Promise<Pick<SoakReport, 'calls' | 'failures' | 'seconds' | 'samples' | 'heaps'>> {
  const observer = new Observer(child);
  const failures: string[] = [];
  const isOver = () => observer.seconds >= seconds;
  const clients = Array.from({ length: connections }, (_, index) => {
    return new MixedClient({ port, headers }, ERAS[index % ERAS.length]!, rest);
  });
  const working = clients.map(async (client, index) => {
    await sleep((index / connections) * START_WITHIN_MS);
    await client.run(isOver).catch((error: unknown) => failures.push(String(error)));
  });
  for (const share of HEAP_LOOKS_AT) {
    await sleep(Math.max(0, seconds * share - observer.seconds) * 1000);
    await observer.lookAtHeap();
  }
  await Promise.all(working);
  observer.stop();
  return { calls: sum(clients), failures, seconds: observer.seconds, samples: observer.samples, heaps: observer.heaps };
}

function sum(clients: readonly MixedClient[]): Record<string, number> {
  const total: Record<string, number> = {};
  for (const { calls } of clients) {
    for (const [name, count] of calls) total[name] = (total[name] ?? 0) + count;
  }
  return total;
}
