import {
  type FetchPage,
  identityOf,
  type LogEvent,
  type LogPage,
  MAX_PAGES_BACK,
  SITUATION_TYPES,
  stampOf,
} from './event.js';
import { answeredCall, blockingCalls, CALL_TYPES } from './pending.js';
import { type Situation, situationOf } from './situation.js';

/** One request is enough for most sessions. */
const FIRST_PAGE_SIZE = 200;
const PAGE_SIZE = 1000;
/** How many events are read at most to reach the beginning of the turn. */
const MAX_EVENTS = 4200;

/** Calls, and the answers of clients to them. */
const TRACE_TYPES = [...CALL_TYPES, 'user.tool_confirmation', 'user.custom_tool_result'];
/** Bounds of the search for a call that the events read so far do not hold: time in milliseconds, and events. */
const MAX_SEARCH_MS = 10_000;
const MAX_SEARCH_EVENTS = 5000;

/**
 * Reads a session's situation from the newest end of its log, back to the beginning of the turn, within the bounds above.
 * Calls that the session waits for are searched further back by type, so that their input can be shown. Throws what
 * `fetchPage` throws.
 *
 * @param streamed the latest frames of a stream, in its order; the list can lag them
 */
export async function readSituation(fetchPage: FetchPage, streamed: readonly LogEvent[] = []): Promise<Situation> {
  const stripper = new PayloadStripper();
  let unreadable = 0;
  let tail: LogEvent[] = [];
  let page: string | undefined;
  let situation = situationOf(tail, false);
  for (let pages = 0, read = 0; pages < MAX_PAGES_BACK && read < MAX_EVENTS; pages += 1) {
    const limit = pages === 0 ? FIRST_PAGE_SIZE : PAGE_SIZE;
    const listed: LogPage = await fetchPage({ order: 'desc', limit, types: SITUATION_TYPES, page });
    const isNewest = page === undefined;
    page = listed.nextPage;
    read += listed.events.length;
    unreadable += listed.unreadable ?? 0;
    const events = listed.events.map((event) => stripper.strip(event)).toReversed();
    tail = isNewest ? mergeStreamed(events, streamed, !page) : [...events, ...tail];
    situation = { ...situationOf(tail, !page), ...(unreadable > 0 && { unreadable }) };
    // The start of the log makes it complete as well.
    if (situation.complete) break;
  }
  const missing = situation.pendingActions.filter(({ kind }) => kind === 'unknown').map(({ toolUseId }) => toolUseId);
  if (!page || missing.length === 0) return situation;
  const found = await findCalls(fetchPage, new Set(missing));
  return { ...situationOf([...found, ...tail], false), ...(unreadable > 0 && { unreadable }) };
}

/** The calls with these ids and the answers to them, oldest first, as far as the bounds of the search allow. */
async function findCalls(fetchPage: FetchPage, ids: ReadonlySet<string>): Promise<LogEvent[]> {
  const found: LogEvent[] = [];
  const deadline = performance.now() + MAX_SEARCH_MS;
  let page: string | undefined;
  for (let pages = 0, read = 0; pages < MAX_PAGES_BACK && read < MAX_SEARCH_EVENTS; pages += 1) {
    const listed = await fetchPage({ order: 'desc', limit: PAGE_SIZE, types: TRACE_TYPES, page });
    read += listed.events.length;
    found.push(...listed.events.filter((event) => ids.has(callOf(event) ?? '')));
    page = listed.nextPage;
    if (page === undefined || !isAnyMissing(ids, found) || performance.now() > deadline) break;
  }
  return found.toReversed();
}

/** The events of one tool call in the log. */
export interface CallTrace {
  /** The call itself (`agent.tool_use` and its kin). */
  readonly call?: LogEvent;
  /** The `user.tool_confirmation` that counts: the first one. */
  readonly confirmation?: LogEvent;
  /** The `user.custom_tool_result` that counts: the first one; the API stores further ones without effect. */
  readonly customResult?: LogEvent;
}

/** The situation of a session, and the traces of certain calls. */
export interface CallsReading {
  readonly situation: Situation;
  /** By id; calls without any event in the log are left out. */
  readonly traces: ReadonlyMap<string, CallTrace>;
}

/**
 * Reads a session's situation and traces calls in the same events. Calls that are older than the events of the situation
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
  if (isAnyMissing(wanted, newestFirst)) await findCalls(fetchTraces, wanted);
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
  return CALL_TYPES.includes(type);
}

/**
 * Removes long texts from events where a session's situation does not depend on them: a turn can hold thousands of
 * results of 100 KB each. Pass the events newest first.
 */
export class PayloadStripper {
  private readonly answered = new Set<string>();
  /** The calls that the newest idle names. */
  private awaited: readonly string[] = [];
  private newestMessage: string | undefined;

  strip(event: LogEvent): LogEvent {
    const answers = answeredCall(event);
    // An allowed call still has to run, and may wait for the client's worker.
    if (answers !== undefined && event.type !== 'user.tool_confirmation') this.answered.add(answers);
    if (this.awaited.length === 0) this.awaited = blockingCalls(event);
    return this.isNeeded(event) ? event : { ...event, content: undefined, input: undefined };
  }

  /** The situation needs the newest message, and the input of calls that may be pending. */
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
 * Merges frames of a stream that the list lacks into the newest events of a log, at the place of their stamps.
 *
 * @param listed in the order of the log
 * @param streamed in the order of the stream, usually those of a few seconds
 * @param isWholeLog whether `listed` is the whole log; otherwise older frames are ignored, because they are listed further back
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
