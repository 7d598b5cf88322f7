import type { SimulatorClock } from '../clock.js';
import type { Ids } from '../ids.js';
import type { Pollution, Serialization } from '../options.js';
import type { Scenarios } from '../scenario.js';
import type { SessionAgent } from '../wire.js';

/** What a session needs from the simulator around it. */
export interface Platform {
  readonly clock: SimulatorClock;
  readonly ids: Ids;
  readonly serialization: Serialization;
  readonly pollution: Pollution;
  readonly scenarios: Scenarios;
  /** How long before an idle the calls are listed that it names. */
  readonly callLeadMs: number;
  /** Tells the scheduler that a session may have something to do. */
  wake(): void;
  /** The configuration of an agent that a coordinator calls by name. */
  agentByName(name: string): SessionAgent | undefined;
}
