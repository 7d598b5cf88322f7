import type {
  BetaManagedAgentsMemoryStore,
  MemoryStoreCreateParams,
} from '@anthropic-ai/sdk/resources/beta/memory-stores';
import { formatTime, type SimulatorClock } from '../clock.js';
import { type Json, metadata, object, onlyFields, optionalString, patchMetadata, string } from '../http/body.js';
import type { Ids } from '../ids.js';
import { Collection } from './collection.js';

const FIELDS = ['name', 'description', 'metadata'];

export class MemoryStores extends Collection<BetaManagedAgentsMemoryStore> {
  constructor(
    private readonly clock: SimulatorClock,
    private readonly ids: Ids,
  ) {
    super('Memory store');
  }

  create({ id = this.ids.next('memstore'), ...params }: Partial<MemoryStoreCreateParams> & { id?: string } = {}) {
    return this.make({ name: 'memory', ...params }, id);
  }

  createFrom(body: unknown): BetaManagedAgentsMemoryStore {
    const fields = object(body, 'body');
    onlyFields(fields, FIELDS);
    return this.make(fields, this.ids.next('memstore'));
  }

  update(id: string, body: unknown): BetaManagedAgentsMemoryStore {
    const current = this.requireActive(id);
    const patch = object(body, 'body');
    onlyFields(patch, FIELDS);
    const description = optionalString(patch.description, 'description', { max: 1024 });
    return this.replace({
      ...current,
      name: patch.name ? name(patch.name) : current.name,
      description: description === undefined ? current.description : (description ?? ''),
      metadata: patchMetadata(current.metadata, patch.metadata),
      updated_at: formatTime(this.clock.now()),
    });
  }

  private make(fields: Json, id: string): BetaManagedAgentsMemoryStore {
    const now = formatTime(this.clock.now());
    return this.add({
      id,
      type: 'memory_store',
      name: name(fields.name),
      description: optionalString(fields.description, 'description', { max: 1024 }) ?? '',
      metadata: metadata(fields.metadata),
      created_at: now,
      updated_at: now,
      archived_at: null,
    });
  }
}

const name = (value: unknown) => string(value, 'name', { min: 1, max: 255 });
