import type { CallOutcome, CallStep, SayStep, ToolStep } from '../scenario.js';
import type { WireEvent } from '../wire.js';
import type { Call } from './calls.js';
import type { ModelRequests } from './model-requests.js';
import { evaluate } from './policy.js';
import type { SessionState } from './state.js';
import { type Pause, PHASE, type Program, until } from './tasks.js';
import type { Thread } from './thread.js';

/** A stretch of a program that ends with the outcomes of the calls it made. */
export type Play = Generator<Pause, CallOutcome[], void>;

interface MadeCall {
  readonly step: CallStep;
  readonly call: Call;
}

export const INTERRUPTED = 'Tool execution was interrupted before completion. Please retry.';

/** Plays one model response: its text, its calls, what the calls wait for, and their results. */
export class CallRunner {
  constructor(
    private readonly session: SessionState,
    private readonly thread: Thread,
    private readonly requests: ModelRequests,
  ) {}

  *respond(parts: readonly (SayStep | CallStep)[]): Play {
    yield* this.requests.open();
    const made = parts.flatMap((part) => (part.type === 'say' ? this.say(part) : this.call(part)));
    this.thread.openCalls = made.map(({ call }) => call);
    this.requests.close();
    yield PHASE;
    for (const one of made) if (!this.needsClient(one.call)) yield* this.execute(one);
    yield* this.awaitClient(made.filter(({ call }) => this.needsClient(call)));
    this.thread.openCalls = [];
    return made.map(({ call }) => outcomeOf(call));
  }

  private say({ text }: SayStep): MadeCall[] {
    this.requests.produce('agent.message', text);
    this.thread.lastText = text;
    return [];
  }

  private call(step: CallStep): MadeCall[] {
    const input = step.input ?? {};
    this.requests.note(JSON.stringify(input));
    const event =
      step.type === 'custom_tool'
        ? this.session.record({ type: 'agent.custom_tool_use', name: step.name, input }, this.thread)
        : this.toolUse(step, input);
    const call = this.session.calls.find(event.id)!;
    if (this.thread !== this.session.primary && this.needsClient(call)) this.crossPost(call, event);
    return [{ step, call }];
  }

  private toolUse(step: ToolStep, input: Record<string, unknown>): WireEvent {
    const permission = evaluate(this.thread.agent, step);
    const common = { name: step.name, input, ...permission };
    return step.mcpServer === undefined
      ? this.session.record({ type: 'agent.tool_use', ...common }, this.thread)
      : this.session.record({ type: 'agent.mcp_tool_use', mcp_server_name: step.mcpServer, ...common }, this.thread);
  }

  /** What a child's call needs from a client shows on the session's own log too, often under another id. */
  private crossPost(call: Call, { id, processed_at: _, ...event }: WireEvent): void {
    const { ids, serialization } = this.session.platform;
    const postedId = serialization.crossPostedIds === 'same' ? id : ids.next('sevt');
    this.session.calls.crossPost(call, postedId);
    this.session.record({ ...event, session_thread_id: this.thread.id }, this.session.primary, postedId);
  }

  private needsClient({ kind, permission }: Call): boolean {
    if (kind === 'custom' || permission === 'ask') return true;
    // In a self-hosted environment the built-in tools are run by the customer's own worker.
    return kind === 'tool' && permission === 'allow' && this.selfHosted;
  }

  private get selfHosted(): boolean {
    return this.session.config.environment.config.type === 'self_hosted';
  }

  private *awaitClient(made: readonly MadeCall[]): Program {
    if (made.length > 0 && this.session.platform.callLeadMs > 0) {
      yield this.session.tasks.sleep(this.session.platform.callLeadMs);
    }
    yield* this.awaitAnswers(made.map(({ call }) => call));
    for (const one of made) {
      if (one.call.permission !== 'ask') continue;
      const denied = one.call.confirmation?.result === 'deny';
      if (!denied && one.call.kind === 'tool' && this.selfHosted) one.call.permission = 'allow';
      else yield* this.execute(one);
    }
    yield* this.awaitAnswers(made.map(({ call }) => call));
  }

  /** Idle until every call has its answer; an answer to some of them makes the session idle again with the rest. */
  private *awaitAnswers(calls: readonly Call[]): Program {
    const waiting = () => this.session.calls.waiting(calls.map(({ id }) => id));
    let rest = waiting();
    if (rest.length === 0) return;
    while (rest.length > 0) {
      const before = rest.length;
      this.session.threadIdle(this.thread, { type: 'requires_action', event_ids: rest.map(({ id }) => id) });
      yield until(() => waiting().length < before);
      rest = waiting();
    }
    if (this.thread.status !== 'running') this.session.threadRunning(this.thread);
    yield PHASE;
  }

  private *execute({ step, call }: MadeCall): Program {
    if (step.type === 'custom_tool') return;
    if (call.permission === 'deny') {
      recordResult(this.session, this.thread, call, `Permission to use ${call.name} has been denied.`);
    } else if (call.confirmation?.result === 'deny') {
      recordResult(this.session, this.thread, call, rejection(call));
    } else {
      if (step.durationMs) yield this.session.tasks.sleep(step.durationMs);
      recordResult(this.session, this.thread, call, step.result ?? '', step.isError ?? false);
    }
    yield PHASE;
  }
}

export function recordResult(session: SessionState, thread: Thread, call: Call, text: string, is_error = true): void {
  const result = { content: [{ type: 'text' as const, text }], is_error };
  if (call.kind === 'tool') session.record({ type: 'agent.tool_result', tool_use_id: call.id, ...result }, thread);
  else if (call.kind === 'mcp') {
    session.record({ type: 'agent.mcp_tool_result', mcp_tool_use_id: call.id, ...result }, thread);
  } else session.record({ type: 'user.custom_tool_result', custom_tool_use_id: call.id, ...result }, thread);
}

function rejection({ name, confirmation }: Call): string {
  const message = confirmation?.denyMessage;
  return `Permission to use ${name} has been rejected.${message ? ` Rejection message: ${message}` : ''}`;
}

function outcomeOf({ id, name, confirmation, result }: Call): CallOutcome {
  return {
    id,
    name,
    decision: confirmation?.result,
    denyMessage: confirmation?.denyMessage,
    text: result?.text ?? '',
    isError: result?.isError ?? false,
  };
}
