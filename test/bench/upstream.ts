import Anthropic from '@anthropic-ai/sdk';
import { FIXTURES, Simulator } from '../simulator/index.js';
import { sessionAnswer } from './session-answer.js';

/** Sent to the parent once the API can be called. */
export interface Ready {
  readonly url: string;
  readonly sessionId: string;
  /** The API's answers behind one `session_get`, by path. */
  readonly answers: Record<string, string>;
}

const TURNS = ['List the failing checks', 'Fix the first one', 'Run the checks again', 'Summarize what you did'];

/**
 * The API in a process of its own, with one session that worked through a few turns and is done. `fields` is what the
 * session has beyond agent, environment and title, as JSON.
 */
async function main([fields = '{}']: readonly string[]): Promise<void> {
  const simulator = await Simulator.start({ fixtures: true, recordedRequests: 0 });
  const answers: Record<string, string> = {};
  const client = new Anthropic({
    baseURL: simulator.url,
    apiKey: 'bench',
    fetch: async (url, init) => {
      const response = await fetch(url, init);
      const { pathname } = new URL(url instanceof Request ? url.url : url);
      answers[pathname] = await response.clone().text();
      return response;
    },
  });
  const { id } = await client.beta.sessions.create({
    agent: FIXTURES.agents.analyst,
    environment_id: FIXTURES.environments.cloud,
    title: 'Benchmark',
    ...(JSON.parse(fields) as object),
  });
  for (const text of TURNS) {
    await client.beta.sessions.events.send(id, {
      events: [{ type: 'user.message', content: [{ type: 'text', text }] }],
    });
    await simulator.settle(id);
  }
  const { turn } = await sessionAnswer(client, id);
  if (turn !== 'over') throw new Error(`the session to read is not done: ${String(turn)}`);
  process.send?.({ url: simulator.url, sessionId: id, answers } satisfies Ready);
}

process.once('disconnect', () => process.exit());
void main(process.argv.slice(2));
