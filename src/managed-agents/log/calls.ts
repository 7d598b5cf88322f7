import { type FetchPage, type LogEvent, MAX_PAGES_BACK } from './event.js';
import { answeredCall } from './pending.js';
import { readSituation, type Situation } from './situation.js';

/** What the log holds of one tool call. */
export interface CallTrace {
  /** The call itself (`agent.tool_use` and its kin). */
  readonly call?: LogEvent;
  /** The `user.tool_confirmation` that counts: the first one. */
  readonly confirmation?: LogEvent;
  /** The `user.custom_tool_result` that counts: the first one; the API stores further ones without effect. */
  readonly customResult?: LogEvent;
}

/** One look at a session: what it does, and what became of certain calls. */
export interface CallsReading {
  readonly situation: Situation;
  /** By id; a call of which nothing was found is not in it. */
  readonly traces: ReadonlyMap<string, CallTrace>;
}

const CALL_TYPES: ReadonlySet<string> = new Set(['agent.tool_use', 'agent.mcp_tool_use', 'agent.custom_tool_use']);
/** Calls, and what a client answers to them. */
const TRACE_TYPES = [...CALL_TYPES, 'user.tool_confirmation', 'user.custom_tool_result'];

/** How many events back a call is looked for that the current turn does not hold. */
const MAX_SEARCH_EVENTS = 5000;
const SEARCH_PAGE_SIZE = 1000;

/**
 * Reads a session's situation and traces calls in the same events. Calls that are older than what the situation needed
 * cost further requests, newest first: an answer is always newer than its call.
 */
export async function readCalls(fetchPage: FetchPage, ids: Iterable<string>): Promise<CallsReading> {
  const wanted = new Set(ids);
  const newestFirst: LogEvent[] = [];
  const fetchTraces: FetchPage = async (query) => {
    const page = await fetchPage(query);
    newestFirst.push(...page.events.filter((event) => wanted.has(callOf(event) ?? '')));
    return page;
  };
  const situation = await readSituation(fetchTraces);
  let page: string | undefined;
  let searched = 0;
  for (let pages = 0; pages < MAX_PAGES_BACK && searched < MAX_SEARCH_EVENTS; pages++) {
    if (!isAnyMissing(wanted, newestFirst)) break;
    const found = await fetchTraces({ order: 'desc', limit: SEARCH_PAGE_SIZE, types: TRACE_TYPES, page });
    searched += found.events.length;
    page = found.nextPage;
    if (page === undefined) break;
  }
  return { situation, traces: traceCalls(newestFirst.toReversed(), wanted) };
}

function isAnyMissing(wanted: ReadonlySet<string>, events: readonly LogEvent[]): boolean {
  const found = new Set(events.filter(isCall).map(({ id }) => id));
  return [...wanted].some((id) => !found.has(id));
}

/** @param events oldest first; repetitions do no harm */
export function traceCalls(events: readonly LogEvent[], wanted: ReadonlySet<string>): ReadonlyMap<string, CallTrace> {
  const traces = new Map<string, CallTrace>();
  for (const event of events) {
    const id = callOf(event);
    const found = fieldOf(event);
    if (id === undefined || found === undefined || !wanted.has(id)) continue;
    traces.set(id, { [found]: event, ...traces.get(id) });
  }
  return traces;
}

/** The call that this event is, or answers. */
function callOf(event: LogEvent): string | undefined {
  return isCall(event) ? event.id : answeredCall(event);
}

function fieldOf(event: LogEvent): keyof CallTrace | undefined {
  if (isCall(event)) return 'call';
  if (event.type === 'user.tool_confirmation') return 'confirmation';
  return event.type === 'user.custom_tool_result' ? 'customResult' : undefined;
}

function isCall({ type }: LogEvent): boolean {
  return CALL_TYPES.has(type);
}
