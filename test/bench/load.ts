import { type ChildProcess } from 'node:child_process';
import autocannon from 'autocannon';
import { type Exchange } from './exchange.js';
import { sleep, usageOf } from './process.js';

/** A server that takes calls. */
export interface Running {
  readonly name: string;
  readonly child: ChildProcess;
  readonly port: number;
  /** See `Program.headers`. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** What one server made of one kind of call, over all rounds. */
export interface Measured {
  readonly callsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** User and system time of the server process per call; undefined where it cannot be read. */
  readonly cpuMsPerCall?: number;
}

interface Round {
  readonly calls: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly cpuSeconds?: number;
}

/** Enough for V8 to have optimized what is called; a busy machine takes longer over it. */
const WARM_UP = { seconds: 2, calls: 1500 };
/** Calls that were cut off at the end of a load run out before the next one starts. */
const PAUSE_MS = 300;

/** Loads the servers by turns, so that what else the machine does hits all of them alike. */
export async function compare(
  servers: readonly Running[],
  exchange: Exchange,
  { seconds, rounds, connections }: { seconds: number; rounds: number; connections: number },
): Promise<Map<string, Measured>> {
  const measured = new Map<string, Round[]>(servers.map(({ name }) => [name, []]));
  for (const server of servers) await warmUp(server, exchange, connections);
  for (let round = 0; round < rounds; round++) {
    for (const server of round % 2 === 0 ? servers : servers.toReversed()) {
      measured.get(server.name)?.push(await loadOnce(server, exchange, { seconds, connections }));
    }
  }
  return new Map([...measured].map(([name, results]) => [name, summarize(results)]));
}

export async function warmUp(server: Running, exchange: Exchange, connections: number): Promise<void> {
  for (let calls = 0; calls < WARM_UP.calls;) {
    calls += (await loadOnce(server, exchange, { seconds: WARM_UP.seconds, connections })).calls;
  }
}

/** Throws unless every single answer was a good one. */
export async function loadOnce(
  { name, child, port, headers }: Running,
  exchange: Exchange,
  { seconds, connections }: { seconds: number; connections: number },
): Promise<Round> {
  let sample = '';
  const before = usageOf(child);
  const result = await autocannon({
    url: `http://127.0.0.1:${port}/mcp`,
    method: 'POST',
    headers: { ...exchange.headers, ...headers },
    body: exchange.body,
    connections,
    duration: seconds,
    timeout: 60,
    verifyBody: (body) => {
      const text = String(body);
      const accepted = exchange.accepts(text);
      if (!accepted) sample = text;
      return accepted;
    },
  });
  const after = usageOf(child);
  const bad = {
    non2xx: result.non2xx,
    errors: result.errors,
    timeouts: result.timeouts,
    mismatches: result.mismatches,
  };
  if (Object.values(bad).some((count) => count > 0) || result['2xx'] === 0) {
    const answer = sample === '' ? '' : `; one answer: ${sample.slice(0, 300)}`;
    throw new Error(`${name} failed under ${exchange.tool} ${exchange.era}: ${JSON.stringify(bad)}${answer}`);
  }
  await sleep(PAUSE_MS);
  return {
    calls: result['2xx'],
    seconds: result.duration,
    p50Ms: result.latency.p50,
    p99Ms: result.latency.p99,
    cpuSeconds: before && after && after.cpuSeconds - before.cpuSeconds,
  };
}

/** Medians, because a load of another process on the machine usually hits some of the rounds. */
function summarize(rounds: readonly Round[]): Measured {
  const sum = (of: (round: Round) => number) => rounds.reduce((total, round) => total + of(round), 0);
  const hasCpu = rounds.every(({ cpuSeconds }) => cpuSeconds !== undefined);
  return {
    callsPerSecond: median(rounds.map(({ calls, seconds }) => calls / seconds)),
    p50Ms: median(rounds.map(({ p50Ms }) => p50Ms)),
    p99Ms: median(rounds.map(({ p99Ms }) => p99Ms)),
    ...(hasCpu && { cpuMsPerCall: (sum(({ cpuSeconds }) => cpuSeconds ?? 0) / sum(({ calls }) => calls)) * 1000 }),
  };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}
