import { ERAS, type Exchange, sessionGet, toolsList, withHeaders } from './exchange.js';
import { compare, type Running } from './load.js';
import { type Options } from './options.js';
import { numberedPort } from '../support/ports.js';
import { type Program, startHttp, stop, type Usage, usageOf } from './process.js';
import { bare, bareConvertingOnce, ours, withoutUpstream, writeAnswers, writeTools } from './programs.js';
import { type CallResult, type Report } from './report.js';
import { firstAnswer, httpStart, startTimes, stdioStart } from './startup.js';
import { type Ready } from './upstream.js';

type Results = Pick<Report, 'calls' | 'memory' | 'starts'>;

const SESSION_GET_AIM = 0.8;
const TOOLS_LIST_AIM = 2;

export async function runBenchmark(
  options: Options,
  upstream: Ready,
  scriptOf: (name: string) => string,
): Promise<Results> {
  const bareScript = scriptOf('bare-server');
  const count = writeTools(bareScript);
  const compared = [ours(upstream.url), bare(upstream.url, bareScript)];
  log(`${count} tools; ${options.connections} connections, ${options.rounds} rounds of ${options.seconds} s`);

  log('start-up');
  const first = sessionGet('2025-11-25', upstream.sessionId);
  const starts = {
    http: await startTimes(compared, options.starts, (program) => httpStart(program, first)),
    stdio: await startTimes(compared, options.starts, (program) => stdioStart(program, first)),
  };

  const answersFile = writeAnswers(upstream);
  const alone = compared.map((program) => withoutUpstream(program, scriptOf('canned-upstream'), answersFile));

  const connected = await withServers(
    [...compared, bareConvertingOnce(upstream.url, bareScript)],
    first,
    async (servers) => {
      const idle = memoryOf(servers);
      await assertSameAnswer(servers, first);
      const calls: CallResult[] = [];
      for (const era of ERAS)
        calls.push(
          await measure(servers.slice(0, 2), sessionGet(era, upstream.sessionId), { aim: SESSION_GET_AIM, options }),
        );
      for (const era of ERAS) calls.push(await measure(servers, toolsList(era), { aim: TOOLS_LIST_AIM, options }));
      return { calls, memory: joinMemory(idle, memoryOf(servers)) };
    },
  );
  const separate = await withServers(alone, first, async (servers) => {
    const calls: CallResult[] = [];
    for (const era of ERAS) {
      const result = await measure(servers, sessionGet(era, upstream.sessionId), { aim: SESSION_GET_AIM, options });
      calls.push({ ...result, title: `${result.title}, no upstream time` });
    }
    return calls;
  });
  return {
    calls: [...connected.calls.slice(0, ERAS.length), ...separate, ...connected.calls.slice(ERAS.length)],
    memory: connected.memory,
    starts,
  };
}

export async function measure(
  servers: readonly Running[],
  exchange: Exchange,
  { aim, options }: { aim: number; options: Options },
): Promise<CallResult> {
  const title = `${exchange.tool} ${exchange.era}`;
  log(title);
  return { title, aim, servers: Object.fromEntries(await compare(servers, exchange, options)) };
}

/** Servers that have answered one call and take more until `work` is done. */
export async function withServers<T>(
  programs: readonly Program[],
  first: Exchange,
  work: (servers: readonly Running[]) => Promise<T>,
): Promise<T> {
  const servers: Running[] = [];
  try {
    for (const program of programs) {
      const port = numberedPort();
      const child = startHttp(program, port);
      const { name, headers } = program;
      servers.push({ name, child, port, headers });
      await firstAnswer(child, port, withHeaders(first, headers));
    }
    return await work(servers);
  } finally {
    await Promise.all(servers.map(({ child }) => stop(child)));
  }
}

/** A comparison means something only when the same question gets the same answer. */
export async function assertSameAnswer(servers: readonly Running[], exchange: Exchange): Promise<void> {
  const answers: string[] = [];
  for (const { child, port, headers } of servers) {
    const answer = await firstAnswer(child, port, withHeaders(exchange, headers));
    const message = JSON.parse(answer) as { result: { structuredContent: unknown } };
    // The one field that grows by itself.
    answers.push(JSON.stringify(message.result.structuredContent).replace(/"duration_seconds":[\d.]+/, ''));
  }
  const different = answers.find((answer) => answer !== answers[0]);
  if (different !== undefined) {
    throw new Error(`the servers answer ${exchange.tool} differently:\n${answers[0]}\n${different}`);
  }
}

function memoryOf(servers: readonly Running[]): Record<string, Usage | undefined> {
  return Object.fromEntries(servers.map(({ name, child }) => [name, usageOf(child)]));
}

function joinMemory(
  idle: Record<string, Usage | undefined>,
  loaded: Record<string, Usage | undefined>,
): Report['memory'] {
  return Object.fromEntries(Object.keys(idle).map((name) => [name, { idle: idle[name], loaded: loaded[name] }]));
}

function log(text: string): void {
  process.stderr.write(`${text}\n`);
}
