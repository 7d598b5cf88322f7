import { resolveForSession } from './resources/agents.js';
import { Catalog, type CatalogParts } from './resources/catalog.js';
import type { Scenarios } from './scenario.js';
import { Sessions } from './session/sessions.js';

export interface WorldParts extends CatalogParts {
  scenarios: Scenarios;
  statusLagMs: number;
  callLeadMs: number;
  wake: () => void;
}

/** Everything there is on the simulated platform. Tests create and look up here what clients see over HTTP. */
export class World extends Catalog {
  readonly sessions: Sessions;

  constructor({ statusLagMs, callLeadMs, scenarios, wake, ...shared }: WorldParts) {
    super(shared);
    const agentByName = (name: string) => this.agentByName(name);
    this.sessions = new Sessions(this, { ...shared, scenarios, wake, callLeadMs, agentByName }, statusLagMs);
  }

  private agentByName(wanted: string) {
    const agent = this.agents.all().find(({ name }) => name === wanted);
    return agent && resolveForSession(agent, this.agents);
  }
}
