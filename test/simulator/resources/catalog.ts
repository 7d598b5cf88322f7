import type { SimulatorClock } from '../clock.js';
import type { Ids } from '../ids.js';
import type { Deviations, Pollution, Serialization } from '../options.js';
import { Agents } from './agents.js';
import { Environments } from './environments.js';
import { MemoryStores } from './memory-stores.js';
import { Vaults } from './vaults.js';

export interface CatalogParts {
  clock: SimulatorClock;
  ids: Ids;
  serialization: Serialization;
  pollution: Pollution;
  deviations: Deviations;
}

/** What sessions are made of. */
export class Catalog {
  readonly clock: SimulatorClock;
  readonly ids: Ids;
  readonly serialization: Serialization;
  readonly pollution: Pollution;
  readonly deviations: Deviations;
  readonly agents: Agents;
  readonly environments: Environments;
  readonly vaults: Vaults;
  readonly memoryStores: MemoryStores;

  constructor({ clock, ids, serialization, pollution, deviations }: CatalogParts) {
    this.clock = clock;
    this.ids = ids;
    this.serialization = serialization;
    this.pollution = pollution;
    this.deviations = deviations;
    this.agents = new Agents(clock, ids);
    this.environments = new Environments(clock, ids, deviations.selfHosted);
    this.vaults = new Vaults(clock, ids);
    this.memoryStores = new MemoryStores(clock, ids);
  }
}
