import { type LogEvent } from './event.js';
import { textOf } from './event.js';
import { endsTurn, stopReasonOf, stopsForGood } from './event.js';

/** A tool call that waits for a client. */
export interface PendingAction {
  /** The id of the call's event (`sevt_…`), by which it is answered. */
  readonly toolUseId: string;
  /**
   * The event that answers it. `tool_result` is the business of a self-hosted environment's worker. A call whose event
   * was not found counts as `tool_confirmation`: the API refuses a needless confirmation without harm, whereas a made-up
   * result would reach the model.
   */
  readonly kind: 'tool_confirmation' | 'custom_tool_result' | 'tool_result';
  readonly tool?: string;
  readonly mcpServer?: string;
  readonly input?: unknown;
  /** The subagent's thread the call was posted from; absent for the primary thread. */
  readonly sessionThreadId?: string;
  /** When the call was made, RFC 3339. */
  readonly since?: string;
}

/** Where the events that settle a call name it. */
const CALL_FIELDS: ReadonlyMap<string, string> = new Map([
  ['user.tool_confirmation', 'tool_use_id'],
  ['user.tool_result', 'tool_use_id'],
  ['user.custom_tool_result', 'custom_tool_use_id'],
  ['agent.tool_result', 'tool_use_id'],
  ['agent.mcp_tool_result', 'mcp_tool_use_id'],
]);

/**
 * The calls still waiting at the end of a turn so far.
 *
 * @param turn the turn's events in log order, then the queued inputs, which take effect next
 * @param known every event read, by id
 */
export function pendingActions(turn: readonly LogEvent[], known: ReadonlyMap<string, LogEvent>): PendingAction[] {
  const calls = new OpenCalls(turn, known);
  turn.forEach((event) => {
    calls.take(event);
  });
  return calls.pending();
}

/** The calls a `requires_action` idle waits for. */
export function blockingCalls(idle: LogEvent): string[] {
  const ids = stopReasonOf(idle)?.event_ids;
  return Array.isArray(ids) ? ids.filter((id) => typeof id === 'string') : [];
}

class OpenCalls {
  private open = new Set<string>();
  private readonly allowed = new Set<string>();
  /** A result is final wherever it stands: a late stamp can list it before its call. */
  private readonly finished: ReadonlySet<string>;

  constructor(
    turn: readonly LogEvent[],
    private readonly known: ReadonlyMap<string, LogEvent>,
  ) {
    const results = turn.filter(({ type }) => type === 'agent.tool_result' || type === 'agent.mcp_tool_result');
    this.finished = new Set(results.map((event) => answeredCall(event) ?? ''));
  }

  take(event: LogEvent): void {
    switch (event.type) {
      case 'agent.tool_use':
      case 'agent.mcp_tool_use':
        if (event.evaluated_permission === 'ask') {
          this.open.add(event.id);
        }
        break;
      case 'agent.custom_tool_use':
        this.open.add(event.id);
        break;
      case 'session.status_idle':
        this.takeIdle(event);
        break;
      case 'session.thread_status_idle':
        if (stopsForGood(event)) {
          this.closeThread(textOf(event, 'session_thread_id'));
        }
        break;
      case 'session.thread_status_terminated':
        this.closeThread(textOf(event, 'session_thread_id'));
        break;
      case 'user.interrupt':
        this.takeInterrupt(event);
        break;
      default:
        this.takeAnswer(event);
    }
  }

  pending(): PendingAction[] {
    const waiting = [...this.open].filter((id) => !this.finished.has(id));
    return waiting.map((id) => describe(id, this.known.get(id), this.allowed.has(id)));
  }

  /** When every thread rests, the idle event names all calls that wait: what it leaves out is not open any more. */
  private takeIdle(idle: LogEvent): void {
    const blocking = blockingCalls(idle);
    if (endsTurn(idle)) {
      this.open.clear();
    } else if (blocking.length > 0) {
      this.open = new Set(blocking);
    }
  }

  private takeInterrupt(interrupt: LogEvent): void {
    const thread = textOf(interrupt, 'session_thread_id');
    if (thread) {
      this.closeThread(thread);
    } else {
      this.open.clear();
    }
  }

  private takeAnswer(event: LogEvent): void {
    const id = answeredCall(event);
    if (id === undefined) {
      return;
    }
    this.open.delete(id);
    if (event.type === 'user.tool_confirmation' && event.result === 'allow') {
      this.allowed.add(id);
    }
  }

  private closeThread(thread: string | undefined): void {
    for (const id of this.open) {
      const call = this.known.get(id);
      if (thread && call && textOf(call, 'session_thread_id') === thread) {
        this.open.delete(id);
      }
    }
  }
}

/** The id of the call that this event answers or finishes; undefined for every other event. */
export function answeredCall(event: LogEvent): string | undefined {
  const field = CALL_FIELDS.get(event.type);
  return field === undefined ? undefined : textOf(event, field);
}

function describe(toolUseId: string, call: LogEvent | undefined, isAllowed: boolean): PendingAction {
  if (!call) {
    return { toolUseId, kind: 'tool_confirmation' };
  }
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

/** A built-in tool that may run and still waits is one that the client's own worker runs. */
function kindOf(call: LogEvent, isAllowed: boolean): PendingAction['kind'] {
  if (call.type === 'agent.custom_tool_use') {
    return 'custom_tool_result';
  }
  const runsAtClient = call.type === 'agent.tool_use' && (isAllowed || call.evaluated_permission === 'allow');
  return runsAtClient ? 'tool_result' : 'tool_confirmation';
}
