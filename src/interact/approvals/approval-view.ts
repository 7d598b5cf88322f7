import { type PendingAction } from '../../managed-agents/log/situation.js';
import { type Session } from '../../managed-agents/sessions.service.js';
import { pendingActionView } from '../../mcp/result/views.js';
import { truncate } from '../../mcp/result/truncate.js';

/** Longest input shown in a list, in characters of JSON; `session_get` shows more of it. */
const MAX_INPUT_CHARS = 600;
const MAX_NAME_CHARS = 120;

/** One entry of `approval_list`. All texts in it were written by agents, users and MCP servers. */
export function approvalView({ id, title, agent }: Session, action: PendingAction): object {
  return {
    session_id: id,
    title: short(title ?? undefined) ?? null,
    agent: { id: agent.id, name: short(agent.name) },
    ...pendingActionView(action, MAX_INPUT_CHARS),
    tool: short(action.tool),
    mcp_server: short(action.mcpServer),
  };
}

function short(text: string | undefined): string | undefined {
  return text === undefined ? undefined : truncate(text, MAX_NAME_CHARS);
}
