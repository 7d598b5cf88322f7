import { type LogEvent } from '../../managed-agents/log/event.js';
import { contentText, isNoise, oneLine } from '../transcript.js';

const MAX_MESSAGE_CHARS = 600;
const MAX_LINE_CHARS = 120;
/** How much of an input is shown that is too long to be shown as it is. */
const MAX_CUT_INPUT_CHARS = 80;

/** Shown by the answer itself, in `reason`, `stop_reason`, `usage` and `pending_actions`. */
const SAID_ELSEWHERE: ReadonlySet<string> = new Set([
  'session.status_idle',
  'session.status_running',
  'user.tool_confirmation',
]);

type Describer = (event: LogEvent) => object | undefined;

/**
 * What happened, in few words: whoever wants more reads the same stretch with session_events. Undefined for what a
 * reader of the answer does without.
 *
 * @param final the message that the answer shows in full elsewhere
 */
export function digestOf(event: LogEvent, final: LogEvent | undefined): object | undefined {
  const { type } = event;
  if (isNoise(event) || SAID_ELSEWHERE.has(type) || event.id === final?.id) return undefined;
  return (describers[type] ?? describeOther)(event);
}

const describers: Readonly<Record<string, Describer>> = {
  'agent.message': ({ type, content }) => ({ type, text: oneLine(contentText(content), MAX_MESSAGE_CHARS) }),
  'user.message': ({ type, content }) => ({ type, text: oneLine(contentText(content), MAX_LINE_CHARS) }),
  'agent.tool_use': describeToolUse,
  'agent.mcp_tool_use': describeToolUse,
  'agent.custom_tool_use': describeToolUse,
  'agent.tool_result': describeToolResult,
  'agent.mcp_tool_result': describeToolResult,
  'user.tool_result': describeToolResult,
  'user.custom_tool_result': describeToolResult,
};

/** Whose tool it is, the pending actions tell where it matters. A short input is shown as it is, a long one as text. */
function describeToolUse({ name, input }: LogEvent): object {
  const isShort = (JSON.stringify(input) ?? '').length <= MAX_LINE_CHARS;
  return { tool: name, input: isShort ? input : oneLine(input, MAX_CUT_INPUT_CHARS) };
}

/** A result that is no error shows in what the agent does next. */
function describeToolResult({ type, content, is_error }: LogEvent): object | undefined {
  return is_error === true ? { type, is_error, result: oneLine(contentText(content), MAX_LINE_CHARS) } : undefined;
}

function describeOther({ id: _id, type, processed_at: _at, ...all }: LogEvent): object {
  const fields = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null));
  return Object.keys(fields).length > 0 ? { type, about: oneLine(fields, MAX_LINE_CHARS) } : { type };
}
