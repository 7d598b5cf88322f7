import { type PendingAction } from '../../managed-agents/log/situation.js';
import { truncateMiddle } from './truncate.js';

/** Longest input shown for a decision, in characters of JSON. */
const MAX_INPUT_CHARS = 1500;

/** What a person decides about. A long input is shown as text with its middle cut out, so that its end is seen, too. */
export function pendingActionView(action: PendingAction, maxInputChars = MAX_INPUT_CHARS): object {
  const input = JSON.stringify(action.input) ?? '';
  const tooLong = input.length > maxInputChars;
  return {
    tool_use_id: action.toolUseId,
    kind: action.kind,
    tool: action.tool,
    mcp_server: action.mcpServer,
    input: tooLong ? truncateMiddle(input, maxInputChars) : action.input,
    ...(tooLong && { input_truncated: true }),
    session_thread_id: action.sessionThreadId,
    since: action.since,
  };
}
