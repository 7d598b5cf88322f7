import { z } from 'zod';
import { parseTime } from '../managed-agents/log/time.js';
import { budgetUsd, id, ids, MAX_MESSAGE_CHARS, metadata, pageArguments, title } from '../mcp/arguments.js';
import { ToolInput } from '../mcp/tool-input.js';

/** Limits of the API, stated where a call would fail anyway; see its reference for sessions. */
const MAX_VAULTS = 50;
const MAX_MEMORY_STORES = 8;
const MAX_FILES = 500;
const MAX_REPOSITORIES = 20;
const MAX_PATH_CHARS = 1024;
const MAX_CURSOR_CHARS = 2048;

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
  metadata: metadata.optional(),
  budget_usd: budgetUsd.optional().describe('Spend limit; pauses when reached.'),
  repositories: z
    .array(repository.refine(({ branch, commit }) => !(branch && commit), 'takes branch or commit, not both'))
    .max(MAX_REPOSITORIES)
    .optional()
    .describe('GitHub repositories to clone, at a branch or commit.'),
  file_ids: ids('Files to mount.', MAX_FILES).optional(),
});

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

export const sessionEventsInput = new ToolInput({
  session_id: id('Session to read.', 'sesn_01...'),
  types: z
    .array(z.string().regex(/^[a-z0-9_.]{1,64}$/, 'must be an event type such as agent.message'))
    .max(50)
    .optional()
    .meta({ description: 'Only these event types; keep them the same while you poll.', examples: [['agent.message']] }),
  since: z
    .string()
    .max(MAX_CURSOR_CHARS)
    .optional()
    .describe('next_since of the previous answer, or an RFC 3339 time. Default: from the beginning.'),
  limit: z.int().min(1).max(200).default(50).describe('Events to read at most.'),
  page: z.string().max(MAX_CURSOR_CHARS).optional().describe('Same as since; kept for older clients.'),
  format: z.enum(['concise', 'detailed']).default('concise').describe('detailed gives the raw events.'),
});

export const sessionWaitInput = new ToolInput({
  session_id: id('Session to wait for.', 'sesn_01...'),
  since: z
    .string()
    .max(MAX_CURSOR_CHARS)
    .optional()
    .describe('Newest next_since of this session, as from session_start, session_message or session_wait.'),
  timeout_seconds: z.number().optional().describe('Longest wait; default 45, at most 50 unless the operator says so.'),
});

export const sessionEndInput = new ToolInput({ session_id: id('Session to end.', 'sesn_01...') });

function isRepositoryUrl(text: string): boolean {
  return /^https:\/\/github\.com\/[\w.-]+\/[\w.-]+$/.test(text) && !text.endsWith('.git');
}
