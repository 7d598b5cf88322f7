import 'reflect-metadata';
import { runBenchmark } from './benchmark.js';
import { compile, ROOT } from './compile.js';
import { describeMachine } from './machine.js';
import { readOptions } from './options.js';
import { profileOurs } from './profile.js';
import { type Ready } from './upstream.js';
import { forkUntilReady, stop } from './process.js';
import { render, RESULTS_FILE, save } from './report.js';
import { runLambdaBenchmark } from './lambda/benchmark.js';
import { runSecuredBenchmark } from './secured/benchmark.js';
import { runSoakBenchmark } from './soak/benchmark.js';
import { runWaitBenchmark } from './wait/benchmark.js';

/** Files of this folder that run in processes of their own. */
const SCRIPTS = ['upstream', 'bare-server', 'bare-http', 'bare-stdio', 'canned-upstream', 'profiler'];

async function main([what, ...rest]: readonly string[]): Promise<void> {
  if (what === 'wait') return runWaitBenchmark(rest);
  if (what === 'lambda') return runLambdaBenchmark(rest);
  if (what === 'load') return runSoakBenchmark(rest);
  if (what === 'secured') return runSecuredBenchmark(rest);
  await compareServers(process.argv.slice(2));
}

async function compareServers(args: readonly string[]): Promise<void> {
  const options = readOptions(args);
  const machine = describeMachine();
  const scriptOf = compile(SCRIPTS);
  const { child, ready: upstream } = await forkUntilReady<Ready>(scriptOf('upstream'));
  try {
    if (options.profile) {
      console.log(await profileOurs(options, upstream, scriptOf));
      return;
    }
    const results = await runBenchmark(options, upstream, scriptOf);
    const report = { machine, options, ...results };
    save(report);
    console.log(`${render(report)}\n\nWritten to ${RESULTS_FILE.slice(ROOT.length + 1)}.`);
  } finally {
    await stop(child);
  }
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
