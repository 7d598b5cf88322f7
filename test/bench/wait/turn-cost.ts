import { withServers } from '../benchmark.js';
import { toolsList } from '../exchange.js';
import { forkUntilReady, sleep, stop } from '../process.js';
import { ours } from '../programs.js';
import { FIXTURES } from '../../simulator/index.js';
import { McpClient, resultOf, type ToolResult } from './client.js';
import { type Ready } from './commands.js';

/** What it costs a model to learn how one turn ended. */
export interface Cost {
  readonly calls: number;
  /** Text of all results, in characters. */
  readonly chars: number;
}

export interface TurnCostResult {
  readonly seconds: number;
  readonly events: number;
  readonly waiting: Cost;
  readonly polling: Cost;
  /** The same with the API's events as they are, as other servers hand them over. */
  readonly pollingDetailed: Cost;
}

const POLL_MS = 5000;

/** The same turn, in three sessions at the same time: one client waits, the other ones poll. In real time. */
export async function measureTurnCost(upstreamScript: string): Promise<TurnCostResult> {
  const { child, ready } = await forkUntilReady<Ready>(upstreamScript);
  try {
    return await withServers([ours(ready.url)], toolsList('2026-07-28'), async ([server]) => {
      const client = new McpClient(server!.port);
      const startedAt = performance.now();
      const [waited, polling, pollingDetailed] = await Promise.all([
        follow(client, waitOnce),
        follow(client, pollOnce('concise')),
        follow(client, pollOnce('detailed')),
      ]);
      const seconds = (performance.now() - startedAt) / 1000;
      const events = await countEvents(client, waited.sessionId);
      client.close();
      return { seconds, events, waiting: waited.cost, polling: polling.cost, pollingDetailed: pollingDetailed.cost };
    });
  } finally {
    await stop(child);
  }
}

/** One call of a tool that follows a session, and whether the turn was over then. */
type Look = (client: McpClient, session: { session_id: string; since: unknown }) => Promise<[ToolResult, boolean]>;

const waitOnce: Look = async (client, session) => {
  const result = resultOf(await client.call('session_wait', session));
  return [result, result.data.reason === 'turn_over'];
};

function pollOnce(format: 'concise' | 'detailed'): Look {
  return async (client, session) => {
    await sleep(POLL_MS);
    const result = resultOf(await client.call('session_events', { ...session, format }));
    const events = result.data.events as readonly { type: string }[];
    return [result, events.some(({ type }) => type === 'session.status_idle')];
  };
}

async function follow(client: McpClient, look: Look): Promise<{ sessionId: string; cost: Cost }> {
  const { data } = resultOf(
    await client.call('session_start', {
      agent_id: FIXTURES.agents.analyst,
      environment_id: FIXTURES.environments.cloud,
      message: 'One test of the refunds fails since this morning. Find out why, mend it, and tell me what it was.',
    }),
  );
  const sessionId = String(data.session_id);
  let since: unknown = data.next_since;
  for (let calls = 1, chars = 0; ; calls++) {
    const [{ text, data: found }, isOver] = await look(client, { session_id: sessionId, since });
    chars += text.length;
    since = found.next_since;
    if (isOver) return { sessionId, cost: { calls, chars } };
  }
}

async function countEvents(client: McpClient, session_id: string): Promise<number> {
  const answer = await client.call('session_events', { session_id, format: 'detailed', limit: 200 });
  return Number(resultOf(answer).data.count);
}
