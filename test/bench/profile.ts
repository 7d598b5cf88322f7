import { type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { withServers } from './benchmark.js';
import { OUT } from './compile.js';
import { type Exchange, sessionGet, toolsList } from './exchange.js';
import { loadOnce, warmUp } from './load.js';
import { type Options } from './options.js';
import { type CpuProfile, type Frame, framesOf } from './profile-frames.js';
import { type Program } from './process.js';
import { oursUnbundled, withoutUpstream, writeAnswers } from './programs.js';
import { table } from './report.js';
import { type Ready } from './upstream.js';

const TOP = 30;

/** Where the time of our server goes under load: by package, by function, and in our own code. */
export async function profileOurs(
  options: Options,
  upstream: Ready,
  scriptOf: (name: string) => string,
): Promise<string> {
  // The API is answered in the process, so that waiting for it does not thin out the samples.
  const answersFile = writeAnswers(upstream);
  const connected = { ...oursUnbundled(upstream.url), nodeArgs: ['--require', scriptOf('profiler')] };
  const program = withoutUpstream(connected, scriptOf('canned-upstream'), answersFile);
  return profile(program, [sessionGet('2025-11-25', upstream.sessionId), toolsList('2025-11-25')], options);
}

/** The same of any program that was started with the profiler. */
export async function profile(program: Program, exchanges: readonly Exchange[], options: Options): Promise<string> {
  const [first] = exchanges;
  return withServers([program], first!, async ([server]) => {
    const reports: string[] = [];
    for (const exchange of exchanges) {
      await warmUp(server!, exchange, options.connections);
      const file = join(OUT, `${exchange.tool.replace('/', '-')}-${exchange.era}.cpuprofile`);
      await tell(server!.child, { command: 'start', file });
      const { calls } = await loadOnce(server!, exchange, options);
      await tell(server!.child, { command: 'stop', file });
      const taken = JSON.parse(readFileSync(file, 'utf8')) as CpuProfile;
      reports.push(`${exchange.tool} ${exchange.era}, ${calls} calls (${file})\n\n${describe(framesOf(taken), calls)}`);
    }
    return reports.join('\n\n');
  });
}

async function tell(child: ChildProcess, message: object): Promise<void> {
  const answered = once(child, 'message');
  child.send(message);
  await answered;
}

function describe(frames: readonly Frame[], calls: number): string {
  const busy = frames.filter(({ owner }) => owner !== '(idle)');
  const total = busy.reduce((sum, { selfMs }) => sum + selfMs, 0);
  const cells = (ms: number) => [`${((ms / total) * 100).toFixed(1)}%`, ((ms / calls) * 1000).toFixed(1)];
  const byOwner = new Map<string, number>();
  for (const { owner, selfMs } of busy) byOwner.set(owner, (byOwner.get(owner) ?? 0) + selfMs);
  const bySelf = busy.toSorted((a, b) => b.selfMs - a.selfMs);
  const own = busy.filter(({ owner }) => owner === 'src').toSorted((a, b) => b.totalMs - a.totalMs);
  return [
    table(
      ['self time by package', 'share', 'us/call'],
      [...byOwner]
        .toSorted(([, a], [, b]) => b - a)
        .slice(0, TOP)
        .map(([owner, ms]) => [owner, ...cells(ms)]),
    ),
    '',
    table(
      ['self time by function', 'where', 'share', 'us/call'],
      bySelf.slice(0, TOP).map(({ name, place, selfMs }) => [name, place, ...cells(selfMs)]),
    ),
    '',
    table(
      ['our functions, with what they call', 'where', 'total', 'us/call', 'self', 'us/call '],
      own.slice(0, TOP).map(({ name, place, selfMs, totalMs }) => [name, place, ...cells(totalMs), ...cells(selfMs)]),
    ),
  ].join('\n');
}
