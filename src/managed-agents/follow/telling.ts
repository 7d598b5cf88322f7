import { type LogEvent } from '../log/event.js';

const TELLING_TYPES: ReadonlySet<string> = new Set([
  'session.status_idle',
  'session.status_terminated',
  'session.deleted',
  'agent.custom_tool_use',
  'span.outcome_evaluation_end',
]);

/**
 * Whether those who wait should look at the session after this event. Many events come between two such ones, and
 * looking costs requests.
 */
export function isTelling(event: LogEvent): boolean {
  if (TELLING_TYPES.has(event.type) || event.type.startsWith('user.')) return true;
  const isToolUse = event.type === 'agent.tool_use' || event.type === 'agent.mcp_tool_use';
  return isToolUse && event.evaluated_permission === 'ask';
}
