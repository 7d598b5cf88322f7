import { Injectable } from '@nestjs/common';
import { type Anthropic } from '@anthropic-ai/sdk';
import { ApiClient } from './api-client.js';
import { checkedId } from './ids.js';
import { type Page, type PageRequest } from './api-values.js';

export type Agent = Anthropic.Beta.BetaManagedAgentsAgent;
export type Environment = Anthropic.Beta.BetaEnvironment;
export type Vault = Anthropic.Beta.BetaManagedAgentsVault;
export type MemoryStore = Anthropic.Beta.BetaManagedAgentsMemoryStore;

/** What sessions are made of: agents, environments, vaults and memory stores. Read only. */
@Injectable()
export class CatalogService {
  constructor(private readonly api: ApiClient) {}

  agents(request: PageRequest): Promise<Page<Agent>> {
    return this.api.list('agents.list', (beta, options) => beta.agents.list(request, options));
  }

  agent(id: string, version?: number): Promise<Agent> {
    checkedId('agent_id', id);
    const params = version === undefined ? {} : { version };
    return this.api.call('agents.get', (beta, options) => beta.agents.retrieve(id, params, options));
  }

  environments(request: PageRequest): Promise<Page<Environment>> {
    return this.api.list('environments.list', (beta, options) => beta.environments.list(request, options));
  }

  environment(id: string): Promise<Environment> {
    checkedId('environment_id', id);
    return this.api.call('environments.get', (beta, options) => beta.environments.retrieve(id, {}, options));
  }

  vaults(request: PageRequest): Promise<Page<Vault>> {
    return this.api.list('vaults.list', (beta, options) => beta.vaults.list(request, options));
  }

  vault(id: string): Promise<Vault> {
    checkedId('vault_id', id);
    return this.api.call('vaults.get', (beta, options) => beta.vaults.retrieve(id, {}, options));
  }

  memoryStores(request: PageRequest): Promise<Page<MemoryStore>> {
    return this.api.list('memory_stores.list', (beta, options) => beta.memoryStores.list(request, options));
  }

  memoryStore(id: string): Promise<MemoryStore> {
    checkedId('memory_store_id', id);
    return this.api.call('memory_stores.get', (beta, options) => beta.memoryStores.retrieve(id, {}, options));
  }
}
