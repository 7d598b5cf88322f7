import { isId } from '../ids.js';
import { type LogEvent, endsTurn, stopReasonOf, stopsForGood, textOf } from './event.js';

/** A tool call that waits for an answer from outside. */
export interface PendingAction {
  /** The id of the call's event (`sevt_…`), by which it is answered. */
  readonly toolUseId: string;
  /**
   * The kind of event that answers it. `tool_result` is sent by the worker of a self-hosted environment. `unknown` is a
   * call whose event was not found: it can be denied, but not allowed, because nobody can see what it would do.
   */
  readonly kind: 'tool_confirmation' | 'custom_tool_result' | 'tool_result' | 'unknown';
  readonly tool?: string;
  readonly mcpServer?: string;
  readonly input?: unknown;
  /** The thread of the sub-agent that made the call; absent for the primary thread. */
  readonly sessionThreadId?: string;
  /** When the call was made, RFC 3339. */
  readonly since?: string;
}

/** The types of a call's own event. */
export const CALL_TYPES: readonly string[] = ['agent.tool_use', 'agent.mcp_tool_use', 'agent.custom_tool_use'];

/** The field in which each event that answers or finishes a call names it. */
const CALL_FIELDS: ReadonlyMap<string, string> = new Map([
  ['user.tool_confirmation', 'tool_use_id'],
  ['user.tool_result', 'tool_use_id'],
  ['user.custom_tool_result', 'custom_tool_use_id'],
  ['agent.tool_result', 'tool_use_id'],
  ['agent.mcp_tool_result', 'mcp_tool_use_id'],
]);

/**
 * The calls that are still pending at the end of a turn so far.
 *
 * @param turn the turn's events in log order, then the queued inputs, which take effect next
 * @param known every event read, by id
 */
export function pendingActions(turn: readonly LogEvent[], known: ReadonlyMap<string, LogEvent>): PendingAction[] {
  const calls = new OpenCalls(turn, known);
  for (const event of turn) calls.take(event);
  return calls.pending();
}

/** The calls that a `requires_action` idle names, as far as they can be ids: nothing else can be answered. */
export function blockingCalls(idle: LogEvent): string[] {
  const ids = stopReasonOf(idle)?.event_ids;
  return Array.isArray(ids) ? ids.filter((id): id is string => typeof id === 'string' && isId(id)) : [];
}

/** The id of the call that this event answers or finishes; undefined for every other event. */
export function answeredCall(event: LogEvent): string | undefined {
  const field = CALL_FIELDS.get(event.type);
  return field === undefined ? undefined : textOf(event, field);
}

class OpenCalls {
  private open = new Set<string>();
  /**
   * Calls that were answered or finished anywhere in the turn. That is final: a late stamp can list the answer before its
   * call, and after the answer to a sub-agent's call the session can idle once more with a stop reason that names it.
   */
  private readonly answered: ReadonlySet<string>;
  /** Those of them that got more than the permission to run. */
  private readonly finished: ReadonlySet<string>;
  /** Allowed calls of which a later event shows that the client's worker has to run them. */
  private readonly forWorker = new Set<string>();
  private readonly allowed = new Set<string>();

  constructor(
    turn: readonly LogEvent[],
    private readonly known: ReadonlyMap<string, LogEvent>,
  ) {
    this.answered = idsOf(turn);
    this.finished = idsOf(turn.filter((event) => !isAllow(event)));
  }

  take(event: LogEvent): void {
    switch (event.type) {
      case 'agent.tool_use':
      case 'agent.mcp_tool_use':
        if (event.evaluated_permission === 'ask') this.open.add(event.id);
        break;
      case 'agent.custom_tool_use':
        this.open.add(event.id);
        break;
      case 'session.status_idle':
        this.takeIdle(event);
        break;
      case 'session.thread_status_idle':
        this.takeThreadIdle(event);
        break;
      case 'session.thread_status_terminated':
        this.closeThread(textOf(event, 'session_thread_id'));
        break;
      case 'user.interrupt':
        this.takeInterrupt(event);
        break;
      default:
        if (isAllow(event)) this.allowed.add(answeredCall(event) ?? '');
    }
  }

  pending(): PendingAction[] {
    const waiting = [...this.open].filter((id) => !this.answered.has(id) || this.waitsForWorker(id));
    return waiting.map((id) => describe(id, this.known.get(id), this.allowed.has(id)));
  }

  /** When every thread rests, the idle event names all pending calls: a call that it leaves out is not open any more. */
  private takeIdle(idle: LogEvent): void {
    const blocking = blockingCalls(idle);
    if (endsTurn(idle)) this.open.clear();
    else if (blocking.length > 0) this.open = new Set(blocking);
  }

  /**
   * A thread that idles after its call was allowed, and names the call again, waits for the client's worker to run it.
   * The idle of the session is no proof: it can repeat a call of another thread that was just allowed.
   */
  private takeThreadIdle(idle: LogEvent): void {
    if (stopsForGood(idle)) return this.closeThread(textOf(idle, 'session_thread_id'));
    for (const id of blockingCalls(idle)) if (this.allowed.has(id)) this.forWorker.add(id);
  }

  private waitsForWorker(id: string): boolean {
    return this.forWorker.has(id) && !this.finished.has(id);
  }

  private takeInterrupt(interrupt: LogEvent): void {
    const thread = textOf(interrupt, 'session_thread_id');
    if (thread) this.closeThread(thread);
    else this.open.clear();
  }

  private closeThread(thread: string | undefined): void {
    for (const id of this.open) {
      const call = this.known.get(id);
      if (thread && call && textOf(call, 'session_thread_id') === thread) this.open.delete(id);
    }
  }
}

function idsOf(answers: readonly LogEvent[]): ReadonlySet<string> {
  return new Set(answers.map(answeredCall).filter((id) => id !== undefined));
}

function isAllow(event: LogEvent): boolean {
  return event.type === 'user.tool_confirmation' && event.result === 'allow';
}

function describe(toolUseId: string, call: LogEvent | undefined, isAllowed: boolean): PendingAction {
  if (!call) return { toolUseId, kind: 'unknown' };
  return {
    toolUseId,
    kind: kindOf(call, isAllowed),
    tool: textOf(call, 'name'),
    mcpServer: textOf(call, 'mcp_server_name'),
    input: call.input,
    sessionThreadId: textOf(call, 'session_thread_id'),
    since: textOf(call, 'processed_at'),
  };
}

/** The kind follows from the call: a built-in tool that may run and is still pending is run by the client's worker. */
function kindOf(call: LogEvent, isAllowed: boolean): PendingAction['kind'] {
  if (call.type === 'agent.custom_tool_use') return 'custom_tool_result';
  if (call.type !== 'agent.tool_use') return CALL_TYPES.includes(call.type) ? 'tool_confirmation' : 'unknown';
  return isAllowed || call.evaluated_permission === 'allow' ? 'tool_result' : 'tool_confirmation';
}
