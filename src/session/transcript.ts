import { type LogEvent, recordOf } from '../managed-agents/log/event.js';
import { fitToSize, truncate, truncateStrings } from '../mcp/result/truncate.js';

/** Longest texts of the transcript, in characters. */
const MAX_TEXT_CHARS = 6000;
const MAX_INPUT_CHARS = 200;
const MAX_RESULT_CHARS = 500;
const MAX_OTHER_CHARS = 300;
/** Longest texts of the digest, in characters. */
const MAX_MESSAGE_CHARS = 600;
const MAX_LINE_CHARS = 120;
const MAX_CUT_INPUT_CHARS = 80;

/** Events that only show that work continues; readers of the transcript do not need them. */
function isNoise({ type, content, thinking, summary }: LogEvent): boolean {
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
  /** How many events right before this one were left out as noise. */
  readonly omitted_before?: number;
  readonly [field: string]: unknown;
}

/** The entry of `session_events` for an event; undefined for noise. Events of unknown types are passed on, shortened. */
export function toEntry(event: LogEvent): TranscriptEntry | undefined {
  if (isNoise(event)) return undefined;
  const { id, type, processed_at } = event;
  const described = { id, type, at: processed_at, ...describerOf(type).transcript(event) };
  return Object.fromEntries(Object.entries(described).filter(([, value]) => value !== null)) as TranscriptEntry;
}

/**
 * The line of `session_wait` for an event: the same stretch of the log in session_events has more. Undefined for events that
 * add nothing to the answer.
 *
 * @param final the message that the answer shows in full
 */
export function digestOf(event: LogEvent, final: LogEvent | undefined): object | undefined {
  const { type } = event;
  if (isNoise(event) || SHOWN_BY_OTHER_FIELDS.has(type) || event.id === final?.id) return undefined;
  return describerOf(type).digest(event);
}

/** Shown by the answer itself, in `reason`, `stop_reason`, `usage` and `pending_actions`. */
const SHOWN_BY_OTHER_FIELDS: ReadonlySet<string> = new Set([
  'session.status_idle',
  'session.status_running',
  'user.tool_confirmation',
]);

/** How an event is shown: in full for the transcript, in one line for the digest. */
interface Describer {
  readonly transcript: (event: LogEvent) => object;
  /** Undefined for events that a reader of the digest does not need. */
  readonly digest: (event: LogEvent) => object | undefined;
}

const message = (digestChars: number): Describer => ({
  transcript: ({ content }) => ({ text: truncate(contentText(content), MAX_TEXT_CHARS) }),
  digest: ({ type, content }) => ({ type, text: oneLine(contentText(content), digestChars) }),
});

/** The digest shows a short input as it is and a long one as text. */
const TOOL_USE: Describer = {
  transcript: ({ name, mcp_server_name, input, evaluated_permission, session_thread_id }) => ({
    tool: name,
    ...(typeof mcp_server_name === 'string' && { mcp_server: mcp_server_name }),
    input: oneLine(input, MAX_INPUT_CHARS),
    ...(typeof evaluated_permission === 'string' &&
      evaluated_permission !== 'allow' && { permission: evaluated_permission }),
    ...(typeof session_thread_id === 'string' && { session_thread_id }),
  }),
  digest: ({ name, input }) => ({
    tool: name,
    input: isShort(input, MAX_LINE_CHARS) ? input : oneLine(input, MAX_CUT_INPUT_CHARS),
  }),
};

/** The digest has only failed results: what the agent does next shows the others. */
const TOOL_RESULT: Describer = {
  transcript: ({ tool_use_id, mcp_tool_use_id, custom_tool_use_id, is_error, content }) => ({
    tool_use_id: tool_use_id ?? mcp_tool_use_id ?? custom_tool_use_id,
    ...(is_error === true && { is_error }),
    result: truncate(contentText(content), MAX_RESULT_CHARS),
  }),
  digest: ({ type, content, is_error }) =>
    is_error === true ? { type, is_error, result: oneLine(contentText(content), MAX_LINE_CHARS) } : undefined,
};

const OTHER: Describer = {
  transcript: (event) =>
    Object.fromEntries(
      Object.entries(ownFields(event)).map(([name, value]) => [
        name,
        isShort(value, MAX_OTHER_CHARS) ? value : oneLine(value, MAX_OTHER_CHARS),
      ]),
    ),
  digest: (event) => {
    const fields = ownFields(event);
    const { type } = event;
    return Object.keys(fields).length > 0 ? { type, about: oneLine(fields, MAX_LINE_CHARS) } : { type };
  },
};

const DESCRIBERS: Readonly<Record<string, Describer>> = {
  'user.message': message(MAX_LINE_CHARS),
  'agent.message': message(MAX_MESSAGE_CHARS),
  'agent.thinking': {
    ...OTHER,
    transcript: (event) => ({ text: truncate(contentText(event.content ?? [event]), MAX_TEXT_CHARS) }),
  },
  'system.message': { ...OTHER, transcript: message(MAX_LINE_CHARS).transcript },
  'agent.tool_use': TOOL_USE,
  'agent.mcp_tool_use': TOOL_USE,
  'agent.custom_tool_use': TOOL_USE,
  'agent.tool_result': TOOL_RESULT,
  'agent.mcp_tool_result': TOOL_RESULT,
  'user.tool_result': TOOL_RESULT,
  'user.custom_tool_result': TOOL_RESULT,
  'session.error': {
    ...OTHER,
    transcript: ({ error }) => ({ error: truncateStrings(withoutNulls(error), MAX_RESULT_CHARS) }),
  },
};

function describerOf(type: string): Describer {
  return DESCRIBERS[type] ?? OTHER;
}

/** The fields that only events of this type have. */
function ownFields({
  id: _id,
  type: _type,
  processed_at: _at,
  ...fields
}: LogEvent): Readonly<Record<string, unknown>> {
  return withoutNulls(fields) as Readonly<Record<string, unknown>>;
}

/** The value without its null fields, at any depth; undefined for null itself. */
function withoutNulls(value: unknown): unknown {
  const json = JSON.stringify(value, (_, field: unknown) => (field === null ? undefined : field));
  return json === undefined ? undefined : (JSON.parse(json) as unknown);
}

function isShort(value: unknown, maxChars: number): boolean {
  return (JSON.stringify(value) ?? '').length <= maxChars;
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

/** As many events as fit into one answer. */
export interface Batch {
  readonly entries: readonly object[];
  /** How many of the events were taken, those not shown included. */
  readonly taken: number;
  /** How many events after the last entry are not shown. */
  readonly omitted: number;
}

export interface BatchOptions {
  readonly maxChars: number;
  /** Whether an entry has the number of events right before it that are not shown. */
  readonly countsOmitted: boolean;
}

/**
 * Takes events from the first on until `maxChars` of JSON are full. Events that `describe` leaves out are counted. A single
 * event that is too large is cut, so that every batch makes progress.
 */
export function batchOf(
  events: readonly LogEvent[],
  describe: (event: LogEvent) => object | undefined,
  { maxChars, countsOmitted }: BatchOptions,
): Batch {
  const entries: object[] = [];
  let omitted = 0;
  let chars = 0;
  for (const [index, event] of events.entries()) {
    const entry = describe(event);
    if (!entry) {
      omitted++;
      continue;
    }
    const shown = countsOmitted && omitted > 0 ? { ...entry, omitted_before: omitted } : entry;
    const length = JSON.stringify(shown).length + 1;
    if (chars + length > maxChars && entries.length > 0) return { entries, taken: index - omitted, omitted: 0 };
    entries.push(length > maxChars ? cut(shown, event, maxChars) : shown);
    chars += length;
    omitted = 0;
  }
  return { entries, taken: events.length, omitted };
}

function cut(entry: object, { id, type, processed_at }: LogEvent, maxChars: number): object {
  const fitting = fitToSize(entry, maxChars)?.value as object | undefined;
  return fitting ?? { id, type, processed_at, note: 'This event is too large to be shown.' };
}
