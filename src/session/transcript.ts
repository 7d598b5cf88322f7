import { type LogEvent, recordOf } from '../managed-agents/log/event.js';
import { truncate, truncateStrings } from '../mcp/result/truncate.js';

const MAX_TEXT_CHARS = 6000;
const MAX_INPUT_CHARS = 200;
const MAX_RESULT_CHARS = 500;
const MAX_OTHER_CHARS = 300;

/** Events that only show that work goes on; a reader of the transcript does without them. */
export function isNoise({ type, content, thinking, summary }: LogEvent): boolean {
  return (
    type.startsWith('span.model_request_') ||
    type.startsWith('session.thread_status_') ||
    type === 'session.usage' ||
    // Usually without any text; a summary of it is worth reading.
    (type === 'agent.thinking' && !content && !thinking && !summary)
  );
}

/** An entry of the concise transcript. */
export interface TranscriptEntry {
  readonly id?: string;
  readonly type: string;
  readonly at?: string | null;
  /** How many events of no interest stood right before this one and were left out. */
  readonly omitted_before?: number;
  readonly [field: string]: unknown;
}

/** What a model needs of an event; undefined for noise. Types that are not known here are passed on, cut. */
export function toEntry(event: LogEvent): TranscriptEntry | undefined {
  if (isNoise(event)) return undefined;
  const { id, type, processed_at } = event;
  const described = { id, type, at: processed_at, ...(describers[type] ?? describeOther)(event) };
  return Object.fromEntries(Object.entries(described).filter(([, value]) => value !== null)) as TranscriptEntry;
}

type Describer = (event: LogEvent) => object;

const describers: Readonly<Record<string, Describer>> = {
  'user.message': describeMessage,
  'agent.message': describeMessage,
  'agent.thinking': (event) => ({ text: truncate(contentText(event.content ?? [event]), MAX_TEXT_CHARS) }),
  'system.message': describeMessage,
  'agent.tool_use': describeToolUse,
  'agent.mcp_tool_use': describeToolUse,
  'agent.custom_tool_use': describeToolUse,
  'agent.tool_result': describeToolResult,
  'agent.mcp_tool_result': describeToolResult,
  'user.tool_result': describeToolResult,
  'user.custom_tool_result': describeToolResult,
  'session.error': (event) => ({ error: truncateStrings(event.error, MAX_RESULT_CHARS) }),
};

function describeMessage(event: LogEvent): object {
  return { text: truncate(contentText(event.content), MAX_TEXT_CHARS) };
}

function describeToolUse(event: LogEvent): object {
  const { name, mcp_server_name, input, evaluated_permission, session_thread_id } = event;
  return {
    tool: name,
    ...(typeof mcp_server_name === 'string' && { mcp_server: mcp_server_name }),
    input: oneLine(input, MAX_INPUT_CHARS),
    ...(typeof evaluated_permission === 'string' &&
      evaluated_permission !== 'allow' && { permission: evaluated_permission }),
    ...(typeof session_thread_id === 'string' && { session_thread_id }),
  };
}

function describeToolResult(event: LogEvent): object {
  const { tool_use_id, mcp_tool_use_id, custom_tool_use_id, is_error } = event;
  return {
    tool_use_id: tool_use_id ?? mcp_tool_use_id ?? custom_tool_use_id,
    ...(is_error === true && { is_error }),
    result: truncate(contentText(event.content), MAX_RESULT_CHARS),
  };
}

function describeOther({ id: _id, type: _type, processed_at: _at, ...fields }: LogEvent): object {
  return Object.fromEntries(
    Object.entries(fields)
      .filter(([, value]) => value !== null)
      .map(([name, value]) => [name, short(value) ? value : oneLine(value, MAX_OTHER_CHARS)]),
  );
}

function short(value: unknown): boolean {
  return (JSON.stringify(value) ?? '').length <= MAX_OTHER_CHARS;
}

/** The text of content blocks; blocks without any text are named by their type. */
export function contentText(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content.map(blockText).join('\n');
}

/** Text can stand in a text block, a document or search result (with title and source), or a summary of thinking. */
function blockText(block: unknown): string {
  if (typeof block === 'string') return block;
  const { type, text, thinking, summary, title, source, content, context } = (recordOf(block) ?? {}) as ContentBlock;
  if (typeof text === 'string') return text;
  const data = recordOf(source);
  const parts = [
    title,
    typeof source === 'string' ? source : data?.url,
    context,
    thinking,
    contentText(summary),
    data?.type === 'text' ? data.data : contentText(data?.content),
    contentText(content),
  ].filter((part) => typeof part === 'string' && part !== '');
  const name = typeof type === 'string' ? type : 'unknown';
  return parts.length > 0 ? `[${name}] ${parts.join('\n')}` : `[${name}]`;
}

type ContentBlock = Readonly<
  Partial<Record<'type' | 'text' | 'thinking' | 'summary' | 'title' | 'source' | 'content' | 'context', unknown>>
>;

/** Any value as one line of text. */
export function oneLine(value: unknown, maxChars: number): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
  return truncate(text.replace(/\s+/g, ' ').trim(), maxChars);
}
