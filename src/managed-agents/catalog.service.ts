import { Injectable } from '@nestjs/common';
import { type Anthropic } from '@anthropic-ai/sdk';
import { callApi } from './api-error.js';
import { ApiClient } from './api-client.js';
import { checkedId } from './ids.js';
import { type Page, type PageRequest, toPage } from './page.js';

export type Agent = Anthropic.Beta.BetaManagedAgentsAgent;
export type Environment = Anthropic.Beta.BetaEnvironment;
export type Vault = Anthropic.Beta.BetaManagedAgentsVault;
export type MemoryStore = Anthropic.Beta.BetaManagedAgentsMemoryStore;

/** What sessions are made of: agents, environments, vaults and memory stores. Read only. */
@Injectable()
export class CatalogService {
  constructor(private readonly client: ApiClient) {}

  async agents(request: PageRequest): Promise<Page<Agent>> {
    return toPage(await callApi('list agents', () => this.client.beta.agents.list(request)));
  }

  agent(id: string, version?: number): Promise<Agent> {
    checkedId('agent_id', id);
    return callApi('get agent', () => this.client.beta.agents.retrieve(id, version === undefined ? {} : { version }));
  }

  async environments(request: PageRequest): Promise<Page<Environment>> {
    return toPage(await callApi('list environments', () => this.client.beta.environments.list(request)));
  }

  environment(id: string): Promise<Environment> {
    checkedId('environment_id', id);
    return callApi('get environment', () => this.client.beta.environments.retrieve(id));
  }

  async vaults(request: PageRequest): Promise<Page<Vault>> {
    return toPage(await callApi('list vaults', () => this.client.beta.vaults.list(request)));
  }

  vault(id: string): Promise<Vault> {
    checkedId('vault_id', id);
    return callApi('get vault', () => this.client.beta.vaults.retrieve(id));
  }

  async memoryStores(request: PageRequest): Promise<Page<MemoryStore>> {
    return toPage(await callApi('list memory stores', () => this.client.beta.memoryStores.list(request)));
  }

  memoryStore(id: string): Promise<MemoryStore> {
    checkedId('memory_store_id', id);
    return callApi('get memory store', () => this.client.beta.memoryStores.retrieve(id));
  }
}
