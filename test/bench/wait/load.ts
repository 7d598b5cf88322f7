import { type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { withServers } from '../benchmark.js';
import { sessionGet } from '../exchange.js';
import { type Running } from '../load.js';
import { forkUntilReady, sleep, stop, usageOf } from '../process.js';
import { ours } from '../programs.js';
import { type Answer, McpClient, resultOf } from './client.js';
import { type Command, type Endings, type Ready, type Seen } from './commands.js';
import { type WaitOptions } from './options.js';

/** One turn of every session, with all who wait for it. */
export interface Round {
  /** From the frame that ended the turn to the client's whole answer, in milliseconds. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** Seen of the API while all wait. */
  readonly streams: number;
  /** Requests to the API for the end of one turn, all who wait for it together. */
  readonly readsPerTurn: number;
  /** Resident memory of the server while all wait, above what it was when idle; undefined where there is no /proc. */
  readonly aboveIdleMb?: number;
  /** CPU time of the server from the first end to the last answer, for each answer. */
  readonly cpuMsPerAnswer?: number;
}

export interface LoadResult {
  readonly idleMb?: number;
  /** The most memory the server ever used, calls other than the waits included. */
  readonly peakMb?: number;
  readonly peakStreams: number;
  /** Resident memory above idle when all wait for the first time. */
  readonly firstAboveIdleMb?: number;
  /** Turns that end one after another. */
  readonly spread: readonly Round[];
  /** All turns end at once. */
  readonly burst: readonly Round[];
}

interface Waited {
  readonly sessionId: string;
  readonly answer: Answer;
}

/** Long enough for a slow machine. */
const TIMEOUT_SECONDS = 240;
/** Neither the time limit nor the budget of reads is what is measured here. */
const SETTINGS = { MCP_WAIT_READS_PER_MINUTE: '100000', MCP_WAIT_MAX_SECONDS: String(TIMEOUT_SECONDS) };
/** How many messages are sent at the same time. */
const SENDERS = 20;
/** A server that used hardly any CPU time twice in a row has nothing left to do, and nothing on its way to it. */
const QUIET = { ms: 1000, cpuSeconds: 0.03, times: 2 };

/**
 * Many calls wait on one server process, and the sessions they wait for end their turns.
 *
 * @param nodeArgs limits of the server's JavaScript heap, for instance; by default Node takes them from the memory of the
 * machine, and collects garbage the later the more there is
 */
export async function measureLoad(
  options: WaitOptions,
  upstreamScript: string,
  nodeArgs: readonly string[] = [],
): Promise<LoadResult> {
  const { child, ready } = await forkUntilReady<Ready>(upstreamScript, [String(options.sessions)]);
  const unlimited = ours(ready.url);
  const program = {
    ...unlimited,
    env: { ...unlimited.env, ...SETTINGS },
    nodeArgs,
  };
  const first = sessionGet('2026-07-28', ready.sessionIds[0]!);
  const answers = { ...first, accepts: (body: string) => body.includes('"turn":"not_started"') };
  try {
    return await withServers([program], answers, ([server]) =>
      new Load(server!, child, ready.sessionIds, options).run(),
    );
  } finally {
    await stop(child);
  }
}

class Load {
  private readonly client: McpClient;
  /** Where to wait from: each session's newest `next_since`. */
  private readonly cursors = new Map<string, unknown>();

  constructor(
    private readonly server: Running,
    private readonly upstream: ChildProcess,
    private readonly sessionIds: readonly string[],
    private readonly options: WaitOptions,
  ) {
    this.client = new McpClient(server.port);
  }

  async run(): Promise<LoadResult> {
    await this.quiet();
    const idleMb = usageOf(this.server.child)?.residentMb;
    const { every, rounds } = this.options;
    // The first round finds code that V8 has not optimized yet.
    const first = await this.round(0, idleMb);
    const spread: Round[] = [];
    const burst: Round[] = [];
    for (let count = 0; count < rounds; count++) {
      spread.push(await this.round(every, idleMb));
      burst.push(await this.round(0, idleMb));
    }
    this.client.close();
    const { peakStreams } = await this.tell<Seen>({ do: 'look' });
    const { aboveIdleMb: firstAboveIdleMb } = first;
    return { idleMb, peakMb: usageOf(this.server.child)?.peakMb, peakStreams, firstAboveIdleMb, spread, burst };
  }

  private async round(everyMs: number, idleMb: number | undefined): Promise<Round> {
    await this.sendMessages();
    await this.tell({ do: 'work' });
    const waiting = this.startWaits();
    await this.quiet();
    const before = usageOf(this.server.child);
    const { openStreams, reads } = await this.tell<Seen>({ do: 'look' });
    const [endings, answers] = await Promise.all([this.tell<Endings>({ do: 'end', everyMs }), Promise.all(waiting)]);
    const after = usageOf(this.server.child);
    const seen = await this.tell<Seen>({ do: 'look' });
    for (const { sessionId, answer } of answers) this.remember(sessionId, answer);
    const latencies = answers.map((waited) => latencyOf(waited, endings)).toSorted((a, b) => a - b);
    return {
      p50Ms: quantile(latencies, 0.5),
      p99Ms: quantile(latencies, 0.99),
      maxMs: quantile(latencies, 1),
      streams: openStreams,
      readsPerTurn: (seen.reads - reads) / this.sessionIds.length,
      aboveIdleMb: before && idleMb !== undefined ? before.residentMb - idleMb : undefined,
      cpuMsPerAnswer: before && after && ((after.cpuSeconds - before.cpuSeconds) / answers.length) * 1000,
    };
  }

  private async sendMessages(): Promise<void> {
    const left = [...this.sessionIds];
    const send = async () => {
      for (let session_id = left.pop(); session_id; session_id = left.pop()) {
        this.remember(session_id, await this.client.call('session_message', { session_id, text: 'Run the tests' }));
      }
    };
    await Promise.all(Array.from({ length: SENDERS }, send));
  }

  private remember(sessionId: string, answer: Answer): void {
    const { next_since } = resultOf(answer).data;
    if (next_since !== undefined) this.cursors.set(sessionId, next_since);
  }

  private startWaits(): Promise<Waited>[] {
    return Array.from({ length: this.options.waits }, async (_, index) => {
      const sessionId = this.sessionIds[index % this.sessionIds.length]!;
      const args = { session_id: sessionId, since: this.cursors.get(sessionId), timeout_seconds: TIMEOUT_SECONDS };
      return { sessionId, answer: await this.client.call('session_wait', args) };
    });
  }

  private async quiet(): Promise<void> {
    const used = () => usageOf(this.server.child)?.cpuSeconds ?? 0;
    for (let times = 0; times < QUIET.times;) {
      const before = used();
      await sleep(QUIET.ms);
      times = used() - before <= QUIET.cpuSeconds ? times + 1 : 0;
    }
  }

  private async tell<T>(command: Command): Promise<T> {
    const answered = once(this.upstream, 'message');
    this.upstream.send(command);
    const [answer] = (await answered) as [T];
    return answer;
  }
}

/** Throws for every answer that was given for another reason than the end of the turn. */
function latencyOf({ sessionId, answer }: Waited, endings: Endings): number {
  const { reason } = resultOf(answer).data;
  const endedAtMs = endings[sessionId];
  if (reason !== 'turn_over' || endedAtMs === undefined) throw new Error(`a wait returned for ${String(reason)}`);
  return answer.endedAtMs - endedAtMs;
}

/** @param sorted ascending */
export function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.min(Math.ceil(sorted.length * q), sorted.length) - 1] ?? Number.NaN;
}
