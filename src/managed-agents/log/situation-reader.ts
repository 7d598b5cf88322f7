import { answeredCall, blockingCalls } from './pending.js';
import {
  type FetchPage,
  identityOf,
  INPUT_TYPES,
  isQueued,
  type LogEvent,
  type LogPage,
  MAX_PAGES_BACK,
  SITUATION_TYPES,
  stampOf,
} from './event.js';
import { type Situation, situationOf } from './situation.js';

/** One request answers for most sessions. */
const FIRST_PAGE_SIZE = 200;
const PAGE_SIZE = 1000;
/** How many telling events are read at most, to get back to the beginning of the turn. */
const MAX_EVENTS = 4200;

/**
 * Reads a session's situation from the newest end of its log, going back as far as needed: to the beginning of the turn,
 * within the bounds above. A log that goes on beyond them costs one request more. What `fetchPage` throws is passed on.
 *
 * @param streamed events that a stream has shown lately, in its order; the list can be a moment behind it
 */
export async function readSituation(fetchPage: FetchPage, streamed: readonly LogEvent[] = []): Promise<Situation> {
  const stripper = new PayloadStripper();
  let tail: LogEvent[] = [];
  let page: string | undefined;
  let situation = situationOf(tail, false);
  for (let pages = 0, read = 0; pages < MAX_PAGES_BACK && read < MAX_EVENTS; pages += 1) {
    const limit = pages === 0 ? FIRST_PAGE_SIZE : PAGE_SIZE;
    const listed: LogPage = await fetchPage({ order: 'desc', limit, types: SITUATION_TYPES, page });
    const isNewest = page === undefined;
    page = listed.nextPage;
    read += listed.events.length;
    const events = listed.events.map((event) => stripper.strip(event)).toReversed();
    tail = isNewest ? mergeStreamed(events, streamed, !page) : [...events, ...tail];
    situation = situationOf(tail, !page);
    // The start of the log makes it complete as well.
    if (situation.complete) {
      break;
    }
  }
  return page ? situationOf([...(await oldestQueued(fetchPage)), ...tail], false) : situation;
}

/**
 * Queued inputs at the far end of the log: it is nowhere said where the list puts events without a stamp, and a turn
 * must not be called over while one waits.
 */
async function oldestQueued(fetchPage: FetchPage): Promise<LogEvent[]> {
  const { events } = await fetchPage({ order: 'asc', limit: 50, types: INPUT_TYPES });
  return events.filter(isQueued);
}

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

/**
 * Leaves long texts out of events where a session's situation does not depend on them: a turn can hold thousands of
 * results of 100 KB each. To be shown the events newest first.
 */
export class PayloadStripper {
  private readonly answered = new Set<string>();
  /** What the newest idle waits for: it waits for them whatever the log says of earlier. */
  private awaited: readonly string[] = [];
  private newestMessage: string | undefined;

  strip(event: LogEvent): LogEvent {
    const answers = answeredCall(event);
    // An allowed call is still to be carried out, and may wait for the client's worker.
    if (answers !== undefined && event.type !== 'user.tool_confirmation') this.answered.add(answers);
    if (this.awaited.length === 0) this.awaited = blockingCalls(event);
    return this.isNeeded(event) ? event : { ...event, content: undefined, input: undefined };
  }

  /** Needed are the newest message, and the input of calls that may wait. */
  private isNeeded(event: LogEvent): boolean {
    if (event.type === 'agent.message') {
      // The list can repeat it.
      this.newestMessage ??= identityOf(event);
      return identityOf(event) === this.newestMessage;
    }
    if (event.type.endsWith('tool_use')) return !this.answered.has(event.id) || this.awaited.includes(event.id);
    return !/^(agent|user|system)\./.test(event.type);
  }
}

/**
 * The newest events of a log, with those a stream has shown and the list does not have yet where their stamps belong.
 *
 * @param listed in the order of the log
 * @param streamed in the order of the stream, as a rule a few seconds' worth
 * @param isWholeLog whether nothing is older than what is listed. Otherwise what is older is taken for listed there.
 */
export function mergeStreamed(
  listed: readonly LogEvent[],
  streamed: readonly LogEvent[],
  isWholeLog: boolean,
): LogEvent[] {
  const known = new Map(listed.map((event) => [identityOf(event), stampOf(event)]));
  const oldest = isWholeLog ? -Infinity : Math.min(...listed.map((event) => stampOf(event) ?? Infinity));
  const merged = [...listed];
  for (const event of streamed) {
    const stamp = stampOf(event) ?? Infinity;
    // A queued interrupt has no id by which its processed copy would be known.
    if (stamp === Infinity && !event.id) continue;
    const isNews = !known.has(identityOf(event)) || (known.get(identityOf(event)) === undefined && stamp < Infinity);
    if (isNews && stamp >= oldest) {
      merged.splice(merged.findLastIndex((other) => (stampOf(other) ?? Infinity) <= stamp) + 1, 0, event);
    }
  }
  return merged;
}
