import { type PendingAction } from '../../managed-agents/log/situation.js';
import { mapTexts, visibleText } from './plain-text.js';
import { truncateMiddle } from './truncate.js';

const UNKNOWN_NOTE = 'The event of this call was not found in the log. It can be denied, but not allowed.';

/** Longest input shown for a decision, in characters of JSON. */
const MAX_INPUT_CHARS = 1500;

/**
 * What a person decides about. A long input is shown as text with its middle cut out, so that its end is seen, too.
 * Invisible characters of the input are taken out and their presence is told; nothing visible is.
 */
export function pendingActionView(action: PendingAction, maxInputChars = MAX_INPUT_CHARS): object {
  const visible = mapTexts(action.input, visibleText);
  const input = JSON.stringify(visible) ?? '';
  const hasHidden = input !== (JSON.stringify(action.input) ?? '');
  const tooLong = input.length > maxInputChars;
  return {
    tool_use_id: action.toolUseId,
    kind: action.kind,
    tool: action.tool,
    mcp_server: action.mcpServer,
    input: tooLong ? truncateMiddle(input, maxInputChars) : visible,
    ...(tooLong && { input_truncated: true }),
    ...(hasHidden && { input_had_hidden_characters: true }),
    session_thread_id: action.sessionThreadId,
    since: action.since,
    ...(action.kind === 'unknown' && { note: UNKNOWN_NOTE }),
  };
}
