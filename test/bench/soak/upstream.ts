import { Simulator } from '../../simulator/index.js';

/** Between two steps of agents, in milliseconds: some waits see their turn end, others run out. */
const AGENT_PACE_MS = 300;

/** The API in a process of its own, with agents that take their time. */
async function main(): Promise<void> {
  const simulator = await Simulator.start({ fixtures: true, recordedRequests: 0, agentPace: AGENT_PACE_MS });
  process.send?.({ url: simulator.url });
}

process.once('disconnect', () => process.exit());
void main();
