import { budgetOf } from '../managed-agents/api-values.js';
import { type SessionCreateParams } from '../managed-agents/sessions.service.js';

/** Arguments of `session_start`, already valid. */
export interface SessionStart {
  readonly agent_id: string;
  readonly environment_id: string;
  readonly message?: string;
  readonly vault_ids?: string[];
  readonly memory_store_ids?: string[];
  readonly agent_version?: number;
  readonly title?: string;
  readonly metadata?: Record<string, string>;
  readonly budget_usd?: number;
  readonly repositories?: Repository[];
  readonly file_ids?: string[];
}

export interface Repository {
  readonly url: string;
  readonly branch?: string;
  readonly commit?: string;
  readonly mount_path?: string;
}

type Resource = NonNullable<SessionCreateParams['resources']>[number];

/** The body of the one create call. What was not given is left out, so that the API's own defaults hold. */
export function createParams(
  start: SessionStart,
  ownMetadata: Readonly<Record<string, string>> = {},
): SessionCreateParams {
  const resources = resourcesOf(start);
  const hasMetadata = start.metadata !== undefined || Object.keys(ownMetadata).length > 0;
  return {
    agent:
      start.agent_version === undefined
        ? start.agent_id
        : { type: 'agent', id: start.agent_id, version: start.agent_version },
    environment_id: start.environment_id,
    ...(start.title !== undefined && { title: start.title }),
    ...(hasMetadata && { metadata: { ...start.metadata, ...ownMetadata } }),
    ...(start.vault_ids?.length && { vault_ids: start.vault_ids }),
    ...(resources.length > 0 && { resources }),
    ...(start.budget_usd !== undefined && { budget: budgetOf(start.budget_usd) }),
    ...(start.message && {
      initial_events: [{ type: 'user.message', content: [{ type: 'text', text: start.message }] }],
    }),
  };
}

function resourcesOf({ memory_store_ids, repositories, file_ids }: SessionStart): Resource[] {
  return [
    ...(memory_store_ids ?? []).map<Resource>((memory_store_id) => ({ type: 'memory_store', memory_store_id })),
    ...(repositories ?? []).map(repositoryOf),
    ...(file_ids ?? []).map<Resource>((file_id) => ({ type: 'file', file_id })),
  ];
}

function repositoryOf({ url, branch, commit, mount_path }: Repository): Resource {
  return {
    type: 'github_repository',
    url,
    ...(branch !== undefined && { checkout: { type: 'branch', name: branch } }),
    ...(commit !== undefined && { checkout: { type: 'commit', sha: commit } }),
    ...(mount_path !== undefined && { mount_path }),
  };
}
