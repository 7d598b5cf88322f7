import type { BetaManagedAgentsVault, VaultCreateParams } from '@anthropic-ai/sdk/resources/beta/vaults';
import { formatTime, type SimulatorClock } from '../clock.js';
import { type Json, metadata, object, onlyFields, patchMetadata, string } from '../http/body.js';
import type { Ids } from '../ids.js';
import { Collection } from './collection.js';

const FIELDS = ['display_name', 'metadata'];

/** Vaults without their credentials: no answer of the API ever carries a secret. */
export class Vaults extends Collection<BetaManagedAgentsVault> {
  constructor(
    private readonly clock: SimulatorClock,
    private readonly ids: Ids,
  ) {
    super('Vault');
  }

  create({ id = this.ids.next('vlt'), ...params }: Partial<VaultCreateParams> & { id?: string } = {}) {
    return this.make({ display_name: 'vault', ...params }, id);
  }

  createFrom(body: unknown): BetaManagedAgentsVault {
    const fields = object(body, 'body');
    onlyFields(fields, FIELDS);
    return this.make(fields, this.ids.next('vlt'));
  }

  update(id: string, body: unknown): BetaManagedAgentsVault {
    const current = this.requireActive(id);
    const patch = object(body, 'body');
    onlyFields(patch, FIELDS);
    return this.replace({
      ...current,
      display_name: patch.display_name ? name(patch.display_name) : current.display_name,
      metadata: patchMetadata(current.metadata, patch.metadata),
      updated_at: formatTime(this.clock.now()),
    });
  }

  private make(fields: Json, id: string): BetaManagedAgentsVault {
    const now = formatTime(this.clock.now());
    return this.add({
      id,
      type: 'vault',
      display_name: name(fields.display_name),
      metadata: metadata(fields.metadata),
      created_at: now,
      updated_at: now,
      archived_at: null,
    });
  }
}

const name = (value: unknown) => string(value, 'display_name', { min: 1, max: 255 });
