import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { LimitsSettings } from '../config/limits.settings.js';
import { noteSessionStarted } from '../context/call.js';
import { EventLogService } from '../managed-agents/event-log.service.js';
import { awaiting, cursorAtStart } from '../managed-agents/log/cursor.js';
import { encodeCursor } from '../managed-agents/log/cursor-text.js';
import { type OpenedSession, SessionOpening } from '../managed-agents/session-opening.service.js';
import { type SessionCreateParams, SessionsService } from '../managed-agents/sessions.service.js';
import { parseTime } from '../managed-agents/log/time.js';
import { budgetUsd, id, ids, MAX_MESSAGE_CHARS, metadata, pageArguments, title } from '../mcp/arguments.js';
import { type Input, ToolInput } from '../mcp/tool-input.js';
import { ResourceAccess } from '../mcp/access.js';
import { apiErrorMessage } from '../mcp/errors/api-error-message.js';
import { listResult } from '../mcp/result/views.js';
import { sessionSituation, sessionSummary } from './session-view.js';
import { budgetOf } from '../managed-agents/api-values.js';

/** Limits of the API, checked here where a call would fail anyway; see its reference for sessions. */
const MAX_VAULTS = 50;
const MAX_MEMORY_STORES = 8;
const MAX_FILES = 500;
const MAX_REPOSITORIES = 20;
const MAX_PATH_CHARS = 1024;

const time = (description: string) =>
  z
    .string()
    .max(40)
    .refine((text) => parseTime(text) !== undefined, 'must be an RFC 3339 time such as 2026-11-22T08:00:00Z')
    .describe(description);

const repository = z.strictObject({
  url: z
    .string()
    .max(MAX_PATH_CHARS)
    .refine(isRepositoryUrl, 'must look like https://github.com/owner/repo, without .git')
    .meta({ examples: ['https://github.com/owner/repo'] }),
  branch: z.string().min(1).max(255).optional(),
  commit: z
    .string()
    .regex(/^[0-9a-f]{40}$/, 'must be a full commit SHA of 40 hexadecimal digits')
    .optional(),
  mount_path: z.string().min(1).max(MAX_PATH_CHARS).optional(),
});

export const sessionStartInput = new ToolInput({
  agent_id: id('Agent to run.', 'agent_01...'),
  environment_id: id('Its environment.', 'env_01...'),
  message: z.string().max(MAX_MESSAGE_CHARS).optional().describe('First instruction; default: wait.'),
  vault_ids: ids('Credentials of its MCP servers.', MAX_VAULTS).optional(),
  memory_store_ids: ids('Its memory.', MAX_MEMORY_STORES).optional(),
  agent_version: z.int().min(1).optional().describe('Default: latest.'),
  title: title.optional(),
  metadata: metadata.optional().describe('Texts by key.'),
  budget_usd: budgetUsd.optional().describe('Spend limit; pauses when reached.'),
  repositories: z
    .array(repository.refine(({ branch, commit }) => !(branch && commit), 'takes branch or commit, not both'))
    .max(MAX_REPOSITORIES)
    .optional()
    .describe('GitHub repositories to clone, at a branch or commit.'),
  file_ids: ids('Files to mount.', MAX_FILES).optional(),
});

type SessionStart = Input<typeof sessionStartInput>;
type Repository = NonNullable<SessionStart['repositories']>[number];

export const sessionGetInput = new ToolInput({ session_id: id('Session to read.', 'sesn_01...') });

export const sessionListInput = new ToolInput({
  agent_id: id('Only sessions of this agent.').optional(),
  statuses: z
    .array(z.enum(['idle', 'running', 'rescheduling', 'terminated']))
    .max(4)
    .optional()
    .describe('Only these statuses.'),
  ...pageArguments,
  created_after: time('Only sessions created at or after this time.').optional(),
  created_before: time('Only sessions created at or before this time.').optional(),
});

/** Starts and observes sessions. */
@Injectable()
export class SessionService {
  constructor(
    private readonly sessions: SessionsService,
    private readonly opening: SessionOpening,
    private readonly log: EventLogService,
    private readonly access: ResourceAccess,
    private readonly limits: LimitsSettings,
  ) {}

  async start(request: SessionStart): Promise<object> {
    const budget_usd = request.budget_usd ?? this.limits.startBudgetUsd;
    const params = createParams({ ...request, budget_usd }, this.access.metadataOfNewSession());
    const opened = await this.opening.open(params, (created) => {
      noteSessionStarted(created.id, budget_usd);
      this.access.started(created);
    });
    const { session, accepted } = opened;
    return {
      session_id: session.id,
      status: session.status,
      ...(budget_usd !== undefined && { budget_usd }),
      next_since: encodeCursor(awaiting(cursorAtStart(session.id), accepted)),
      ...firstMessage(opened),
    };
  }

  async get(sessionId: string): Promise<object> {
    const reads = [this.sessions.get(sessionId), this.log.situation(sessionId)] as const;
    const [session, situation] = await Promise.allSettled(reads);
    // When both fail, the failure of the session itself is reported.
    if (session.status === 'rejected') throw session.reason;
    if (situation.status === 'rejected') throw situation.reason;
    return sessionSituation(session.value, situation.value);
  }

  async list(request: Input<typeof sessionListInput>): Promise<object> {
    const page = await this.access.reachablePage(request, (wanted) => this.sessions.list(wanted));
    return listResult('sessions', page, sessionSummary);
  }
}

const SENT_AFTERWARDS = 'The API of this server takes no message on creation, so it was sent by a second call.';

/** What became of the first message. Whether it arrived can be unknown, when the answer to a second call was lost. */
function firstMessage({ message, failure }: OpenedSession): object {
  if (failure) {
    return {
      message_sent: failure.details.kind === 'uncertain' ? 'unknown' : false,
      note: `The session exists, but its message was not sent with it: the API of this server takes none on creation. ${apiErrorMessage(failure)}`,
      next_step:
        failure.details.kind === 'uncertain'
          ? 'Call session_events: without a user.message there, send it a task with session_message(session_id, text).'
          : 'Send it a task with session_message(session_id, text), or end it with session_archive. Do not start it again.',
    };
  }
  return {
    message_sent: message !== 'none',
    ...(message === 'afterwards' && { note: SENT_AFTERWARDS }),
    next_step:
      message === 'none'
        ? 'The session has no work yet. Send it a task with session_message(session_id, text).'
        : 'Call session_wait(session_id, since=next_since) until the turn is over or an action is required.',
  };
}

type Resource = NonNullable<SessionCreateParams['resources']>[number];

/** The body of the create request. Arguments that were not given are left out, so that the API's defaults apply. */
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

function isRepositoryUrl(text: string): boolean {
  return /^https:\/\/github\.com\/[\w.-]+\/[\w.-]+$/.test(text) && !text.endsWith('.git');
}
