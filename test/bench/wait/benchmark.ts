import { compile, ROOT } from '../compile.js';
import { describeMachine } from '../machine.js';
import { type LoadResult, measureLoad } from './load.js';
import { readWaitOptions, type WaitOptions } from './options.js';
import { render, save, WAIT_RESULTS_FILE } from './report.js';
import { countRequests, type RequestsResult } from './requests.js';
import { measureTurnCost } from './turn-cost.js';

const SCRIPTS = ['wait/upstream', 'wait/turn-upstream'];
/** Heap of the second server, in MB: about what Node takes in a container of half a gigabyte. */
const SMALL_HEAP_MB = 256;
const SEEDS = [1, 2, 3];

/** What waiting costs: the server under many waits, requests to the API, and what a model reads. */
export async function runWaitBenchmark(args: readonly string[]): Promise<void> {
  const options = readWaitOptions(args);
  const machine = describeMachine();
  const scriptOf = compile(SCRIPTS);
  const has = (part: (typeof options.parts)[number]) => options.parts.includes(part);
  const load = has('load') ? await measureLoads(options, scriptOf('wait/upstream')) : {};
  const turn = has('turn')
    ? await logged('cost of a turn', () => measureTurnCost(scriptOf('wait/turn-upstream')))
    : undefined;
  const requests = has('requests') ? await logged('requests of many watchers', countAllRequests) : [];
  const report = { machine, options, load, requests, turn };
  save(report);
  console.log(`${render(report)}\n\nWritten to ${WAIT_RESULTS_FILE.slice(ROOT.length + 1)}.`);
}

async function measureLoads(options: WaitOptions, script: string): Promise<Record<string, LoadResult>> {
  const { waits } = options;
  return {
    'default heap': await logged(`${waits} waits`, () => measureLoad(options, script)),
    [`heap of ${SMALL_HEAP_MB} MB`]: await logged(`${waits} waits, small heap`, () =>
      measureLoad(options, script, [`--max-old-space-size=${SMALL_HEAP_MB}`]),
    ),
  };
}

async function countAllRequests(): Promise<RequestsResult[]> {
  const results: RequestsResult[] = [];
  for (const seed of SEEDS) results.push(await countRequests(seed));
  return results;
}

function logged<T>(text: string, work: () => Promise<T>): Promise<T> {
  process.stderr.write(`${text}\n`);
  return work();
}
