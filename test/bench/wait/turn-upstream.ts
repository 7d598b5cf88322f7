import { FIXTURES, Simulator } from '../../simulator/index.js';
import { type Ready } from './commands.js';
import { LONG_TURN } from './long-turn.js';

/** The API in a process of its own, with an agent that works for two minutes whenever it is asked. */
async function main(): Promise<void> {
  const simulator = await Simulator.start({ fixtures: true });
  simulator.scenarios.set(FIXTURES.agents.analyst, LONG_TURN);
  process.send?.({ url: simulator.url, sessionIds: [] } satisfies Ready);
}

process.once('disconnect', () => process.exit());
void main();
