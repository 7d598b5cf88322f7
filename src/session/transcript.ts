import { type LogEvent } from '../managed-agents/log/event.js';
import { truncate, truncateStrings } from '../mcp/result/truncate.js';

const MAX_TEXT_CHARS = 6000;
const MAX_INPUT_CHARS = 200;
const MAX_RESULT_CHARS = 500;
const MAX_OTHER_CHARS = 300;

/** Events that only show that work goes on; a reader of the transcript does without them. */
export function isNoise(type: string): boolean {
  return (
    type.startsWith('span.model_request_') ||
    type.startsWith('session.thread_status_') ||
    type === 'session.usage' ||
    type === 'agent.thinking'
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
  if (isNoise(event.type)) return undefined;
  const { id, type, processed_at } = event;
  return { id, type, at: processed_at, ...(describers[type] ?? describeOther)(event) };
}

type Describer = (event: LogEvent) => object;

const describers: Readonly<Record<string, Describer>> = {
  'user.message': describeMessage,
  'agent.message': describeMessage,
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
    ...(mcp_server_name !== undefined && { mcp_server: mcp_server_name }),
    input: oneLine(input, MAX_INPUT_CHARS),
    ...(evaluated_permission !== undefined && evaluated_permission !== 'allow' && { permission: evaluated_permission }),
    ...(session_thread_id !== undefined && { session_thread_id }),
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
    Object.entries(fields).map(([name, value]) => [name, short(value) ? value : oneLine(value, MAX_OTHER_CHARS)]),
  );
}

function short(value: unknown): boolean {
  return (JSON.stringify(value) ?? '').length <= MAX_OTHER_CHARS;
}

/** The text of content blocks; blocks of other kinds are named by their type. */
export function contentText(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content
    .map((block: { type?: string; text?: unknown } | null) =>
      typeof block?.text === 'string' ? block.text : `[${block?.type ?? 'unknown'}]`,
    )
    .join('\n');
}

/** Any value as one line of text. */
export function oneLine(value: unknown, maxChars: number): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
  return truncate(text.replace(/\s+/g, ' ').trim(), maxChars);
}
