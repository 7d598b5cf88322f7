import { type Page } from '../../managed-agents/api-values.js';
import { type PendingAction } from '../../managed-agents/log/situation.js';
import { mapTexts, visibleText } from './plain-text.js';
import { truncateMiddle } from './truncate.js';

const UNKNOWN_NOTE = 'The event of this call was not found in the log. It can be denied, but not allowed.';

/** The answer of every list tool: `{ <plural>: [...], count, has_more, next_page }`, with `unreadable` when items were left out. */
export function listResult<T, S extends object>(plural: string, page: Page<T>, summarize: (item: T) => S): object {
  return {
    [plural]: page.items.map(summarize),
    count: page.items.length,
    has_more: page.nextPage !== undefined,
    next_page: page.nextPage ?? null,
    ...(page.unreadable !== undefined && { unreadable: page.unreadable }),
  };
}

/** Longest input shown for a decision, in characters of JSON. */
const MAX_INPUT_CHARS = 1500;

/**
 * A tool call that waits for a decision, as tools show it. A long input is shown as text with its middle cut out, so that
 * its end is visible. Invisible characters of the input are removed, and `input_had_hidden_characters` reports that;
 * nothing visible is removed.
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
