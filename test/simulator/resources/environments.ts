import type { EnvironmentCreateParams } from '@anthropic-ai/sdk/resources/beta/environments';
import { formatTime, type SimulatorClock } from '../clock.js';
import {
  choice,
  type Json,
  metadata,
  object,
  onlyFields,
  optionalString,
  patchMetadata,
  string,
} from '../http/body.js';
import { conflict, invalid } from '../http/errors.js';
import type { Ids } from '../ids.js';
import type { WireEnvironment } from '../wire.js';
import { Collection } from './collection.js';

const FIELDS = ['name', 'description', 'config', 'metadata', 'scope'];

export class Environments extends Collection<WireEnvironment> {
  private unnamed = 0;

  constructor(
    private readonly clock: SimulatorClock,
    private readonly ids: Ids,
    /** Whether there are no other environments than self-hosted ones. */
    private readonly selfHostedOnly = false,
  ) {
    super('Environment');
  }

  create({ id = this.ids.next('env'), ...params }: Partial<EnvironmentCreateParams> & { id?: string } = {}) {
    this.unnamed += params.name === undefined ? 1 : 0;
    const config = this.selfHostedOnly ? { config: { type: 'self_hosted' } } : {};
    return this.make({ name: `environment-${this.unnamed}`, ...params, ...config }, id);
  }

  createFrom(body: unknown): WireEnvironment {
    const fields = object(body, 'body');
    onlyFields(fields, FIELDS);
    if (this.selfHostedOnly && (fields.config as Json | undefined)?.type !== 'self_hosted') {
      throw invalid('config.type: this server supports self_hosted environments only');
    }
    return this.make(fields, this.ids.next('env'));
  }

  update(id: string, body: unknown): WireEnvironment {
    const current = this.requireActive(id, { missing: 'environment_not_found', archived: 'environment_archived' });
    const patch = object(body, 'body');
    onlyFields(patch, FIELDS);
    const config = patch.config ? normalizeConfig(patch.config) : current.config;
    if (config.type !== current.config.type) {
      throw invalid('config.type: cannot be changed', 'invalid_config_type_change');
    }
    const name = patch.name ? this.freeName(patch.name, id) : current.name;
    const description = optionalString(patch.description, 'description', { max: 1024 });
    return this.replace({
      ...current,
      name,
      config,
      description: description === undefined ? current.description : description,
      metadata: patchMetadata(current.metadata, patch.metadata),
      updated_at: formatTime(this.clock.now()),
    });
  }

  override archive(id: string, now: string): WireEnvironment {
    return this.replace({ ...super.archive(id, now), state: 'archived' });
  }

  private make(fields: Json, id: string): WireEnvironment {
    const now = formatTime(this.clock.now());
    return this.add({
      id,
      type: 'environment',
      name: this.freeName(fields.name),
      description: optionalString(fields.description, 'description', { max: 1024 }) ?? '',
      config: normalizeConfig(fields.config ?? { type: 'cloud' }),
      metadata: metadata(fields.metadata),
      scope: 'organization',
      state: 'active',
      created_at: now,
      updated_at: now,
      archived_at: null,
    });
  }

  /** Environment names are unique, unlike those of agents, vaults and memory stores. */
  private freeName(value: unknown, own?: string): string {
    const name = string(value, 'name', { min: 1, max: 256 });
    if (this.all().some((other) => other.name === name && other.id !== own)) {
      throw conflict(`An environment named "${name}" already exists`);
    }
    return name;
  }
}

function normalizeConfig(value: unknown): WireEnvironment['config'] {
  const config = object(value, 'config');
  if (choice(config.type, 'config.type', ['cloud', 'self_hosted']) === 'self_hosted') return { type: 'self_hosted' };
  const packages = object(config.packages ?? {}, 'config.packages');
  const listOf = (manager: string) => (packages[manager] ?? []) as string[];
  return {
    type: 'cloud',
    networking: normalizeNetworking(object(config.networking ?? { type: 'unrestricted' }, 'config.networking')),
    packages: {
      type: 'packages',
      pip: listOf('pip'),
      npm: listOf('npm'),
      apt: listOf('apt'),
      cargo: listOf('cargo'),
      gem: listOf('gem'),
      go: listOf('go'),
    },
  };
}

function normalizeNetworking(networking: Json) {
  const type = choice(networking.type, 'config.networking.type', ['unrestricted', 'limited']);
  if (type === 'unrestricted') return { type };
  return {
    type,
    allowed_hosts: (networking.allowed_hosts ?? []) as string[],
    allow_mcp_servers: networking.allow_mcp_servers === true,
    allow_package_managers: networking.allow_package_managers === true,
  };
}
