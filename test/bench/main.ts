import 'reflect-metadata';
import { cpus, loadavg } from 'node:os';
import { runBenchmark } from './benchmark.js';
import { compile, ROOT } from './compile.js';
import { readOptions } from './options.js';
import { profileOurs } from './profile.js';
import { type Ready } from './upstream.js';
import { forkUntilReady, stop } from './process.js';
import { render, RESULTS_FILE, save } from './report.js';

/** Files of this folder that run in processes of their own. */
const SCRIPTS = ['upstream', 'bare-server', 'bare-http', 'bare-stdio', 'canned-upstream', 'profiler'];

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
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

function describeMachine(): Record<string, string | number> {
  return {
    node: `Node ${process.version}`,
    cpus: `${cpus().length} x ${cpus()[0]?.model ?? 'unknown CPU'}`,
    load: `load average ${(loadavg()[0] ?? 0).toFixed(1)} before the run`,
    time: new Date().toISOString(),
  };
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
