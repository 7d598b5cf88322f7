import { agent, agentList, environmentList, memoryStoreList, vaultList } from '../answers.js';
import { type Remote } from '../remote.js';
import { RELEASER } from '../scenario.js';
import { found } from '../unexpected.js';

/** An agent and what belongs to it: the arguments of a good start. */
export interface Ensemble {
  readonly agent_id: string;
  readonly environment_id: string;
  readonly vault_ids: string[];
  readonly memory_store_ids: string[];
}

export async function discover(remote: Remote): Promise<Ensemble> {
  remote.stage.chapter('Find the agent, and what belongs to it', 'matched by metadata.agent_name');
  const agent_id = await findAgent(remote);
  const environments = await remote.call('environment_list', {}, environmentList, (list) => told(list.environments));
  const vaults = await remote.call('vault_list', {}, vaultList, ({ vaults: all }) =>
    told(all.map((vault) => ({ ...vault, name: vault.display_name }))),
  );
  const stores = await remote.call('memory_store_list', {}, memoryStoreList, (list) => told(list.memory_stores));
  return {
    agent_id,
    environment_id: ours(environments.environments).id,
    vault_ids: [ours(vaults.vaults).id],
    memory_store_ids: [ours(stores.memory_stores).id],
  };
}

async function findAgent(remote: Remote): Promise<string> {
  const { agents } = await remote.call('agent_list', {}, agentList, (list) => told(list.agents));
  const { id } = ours(agents);
  await remote.call('agent_get', { agent_id: id }, agent, ({ tools }) => {
    const policies = tools.flatMap(({ configs }) => configs);
    const named = (policy: string) =>
      policies
        .filter((tool) => tool.permission_policy.type === policy)
        .map(({ name }) => name)
        .join(', ');
    return `${named('always_allow')} on its own; ${named('always_ask')} only when allowed`;
  });
  return id;
}

interface Item {
  readonly id: string;
  readonly metadata: Readonly<Record<string, string>>;
}

function ours<T extends Item>(items: readonly T[]): T {
  return found(
    items.find(({ metadata }) => metadata.agent_name === RELEASER),
    `what belongs to ${RELEASER}`,
  );
}

function told(items: readonly (Item & { name: string })[]): string {
  return `${ours(items).name}, 1 of ${items.length}`;
}
