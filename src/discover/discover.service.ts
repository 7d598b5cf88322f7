import { Injectable } from '@nestjs/common';
import {
  type Agent,
  CatalogService,
  type Environment,
  type MemoryStore,
  type Vault,
} from '../managed-agents/catalog.service.js';
import { modelName, type PageRequest } from '../managed-agents/api-values.js';
import { ResourceAccess } from '../mcp/access.js';
import { listResult } from '../mcp/result/views.js';

/** Finds what a session is put together from. Lists give what is needed to choose, gets give everything. */
@Injectable()
export class DiscoverService {
  constructor(
    private readonly catalog: CatalogService,
    private readonly access: ResourceAccess,
  ) {}

  async agents(request: PageRequest): Promise<object> {
    return listResult(
      'agents',
      await this.access.usablePage('agent', request, (page) => this.catalog.agents(page)),
      summarizeAgent,
    );
  }

  agent(id: string, version?: number): Promise<object> {
    return this.catalog.agent(id, version);
  }

  async environments(request: PageRequest): Promise<object> {
    return listResult(
      'environments',
      await this.access.usablePage('environment', request, (page) => this.catalog.environments(page)),
      summarize,
    );
  }

  environment(id: string): Promise<object> {
    return this.catalog.environment(id);
  }

  async vaults(request: PageRequest): Promise<object> {
    return listResult(
      'vaults',
      await this.access.usablePage('vault', request, (page) => this.catalog.vaults(page)),
      summarizeVault,
    );
  }

  /** The API never returns secret values of a vault; what it returns is names and metadata. */
  vault(id: string): Promise<object> {
    return this.catalog.vault(id);
  }

  async memoryStores(request: PageRequest): Promise<object> {
    return listResult(
      'memory_stores',
      await this.access.usablePage('memory_store', request, (page) => this.catalog.memoryStores(page)),
      summarize,
    );
  }

  memoryStore(id: string): Promise<object> {
    return this.catalog.memoryStore(id);
  }
}

function summarizeAgent({
  id,
  name,
  model,
  description,
  metadata,
  version,
  created_at,
  updated_at,
  archived_at,
}: Agent) {
  return { id, name, model: modelName(model), description, metadata, version, created_at, updated_at, archived_at };
}

function summarize(item: Environment | MemoryStore) {
  const { id, name, description, metadata, created_at, updated_at, archived_at } = item;
  return { id, name, description, metadata, created_at, updated_at, archived_at };
}

function summarizeVault({ id, display_name, metadata, created_at, updated_at, archived_at }: Vault) {
  return { id, display_name, metadata, created_at, updated_at, archived_at };
}
