import { OWNER_KEY, ownerTag } from '../../../src/guardrails/owner.js';
import { FIXTURES } from '../../simulator/index.js';
import { type Issued, OWNER } from './caller.js';

const { vaults, memoryStores } = FIXTURES;

/** A session that every rule has something to look at in: it has an owner, a vault and a memory store. */
export function sessionFields({ issuer }: Issued): object {
  const principal = { issuer, subject: OWNER, roles: [], groups: [], scopes: [] };
  return {
    metadata: { [OWNER_KEY]: ownerTag(principal) },
    vault_ids: [vaults.github],
    resources: [{ type: 'memory_store', memory_store_id: memoryStores.runbooks }],
  };
}
