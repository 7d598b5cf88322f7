import { array } from '../http/body.js';
import type { ClientEvent, WireEvent } from '../wire.js';
import { checkShape } from './input-shapes.js';
import { InputRules } from './input-rules.js';
import { interrupt } from './interrupt.js';
import { Outcome } from './outcome.js';
import type { SessionState } from './state.js';
import { PHASE, type Program } from './tasks.js';

const DEFAULT_ITERATIONS = 3;

/** What clients send: checked as a whole, accepted at once, and processed when the agent comes to it. */
export class Inbox {
  private queue: WireEvent[] = [];

  constructor(private readonly session: SessionState) {}

  /** Whether something waits that does not wait for the agent to come to it. */
  get urgent(): boolean {
    return this.queue.length > 0;
  }

  /** One bad event refuses the whole request. The answer is what was accepted, not what it leads to. */
  accept(body: unknown): WireEvent[] {
    const events = array(body, 'events', { min: 1 }).map((event, index) => checkShape(event, `events[${index}]`));
    new InputRules(this.session).check(events);
    const accepted = events.map((event) => this.take(event));
    this.session.platform.wake();
    return accepted;
  }

  /** The first events of a session. They are taken as a whole with it and not echoed. */
  begin(events: readonly ClientEvent[]): void {
    for (const event of events) this.take(event);
    this.session.platform.wake();
  }

  /** An interrupt jumps the queue; then come answers, all that are there. */
  takeUrgent(): boolean {
    const next = this.queue.find(({ type }) => type === 'user.interrupt');
    if (next) {
      this.queue = this.queue.filter((other) => other !== next);
      interrupt(this.session, next);
      return true;
    }
    const answers = this.queue.splice(0);
    for (const answer of answers) this.confirm(answer);
    return answers.length > 0;
  }

  private take(event: ClientEvent): WireEvent {
    switch (event.type) {
      case 'user.define_outcome':
        return this.defineOutcome(event);
      case 'user.custom_tool_result':
      case 'user.tool_result':
        return this.takeResult(event);
      case 'user.interrupt':
      case 'user.tool_confirmation':
        return this.takeUrgentEvent(event);
      default:
        return this.enqueue(event, this.session.primary.inbox);
    }
  }

  private takeUrgentEvent(event: ClientEvent): WireEvent {
    const { calls } = this.session;
    if (event.type === 'user.interrupt' && this.session.pausedForBudget) return this.draft(event);
    const call = event.type === 'user.tool_confirmation' ? calls.find(event.tool_use_id) : undefined;
    if (call) call.confirmationQueued = true;
    return this.enqueue(event, this.queue);
  }

  private enqueue(event: ClientEvent, queue: WireEvent[]): WireEvent {
    const draft = this.draft(event);
    const queued = { ...draft, processed_at: null };
    queue.push(queued);
    this.session.log.enqueue(queued, this.session.platform.serialization.queuedCopies);
    return draft;
  }

  private draft(event: ClientEvent): WireEvent {
    const { ids, serialization } = this.session.platform;
    const id = ids.next('sevt');
    return serialization.acceptedProcessedAt === 'null' ? { id, ...event, processed_at: null } : { id, ...event };
  }

  /** Results and outcomes are processed on receipt: they carry their stamp in the answer already. */
  private takeResult(event: Extract<ClientEvent, { type: 'user.custom_tool_result' | 'user.tool_result' }>): WireEvent {
    const { session } = this;
    const call = session.calls.find('tool_use_id' in event ? event.tool_use_id : event.custom_tool_use_id)!;
    const late = call.result !== undefined;
    const accepted = session.record(event);
    this.copyToChild(accepted, call.threadId, call.id);
    if (late || !this.threadOf(call.threadId)?.busy) this.startEmptyCycle();
    return accepted;
  }

  private defineOutcome(event: Extract<ClientEvent, { type: 'user.define_outcome' }>): WireEvent {
    const { session } = this;
    const outcome_id = session.platform.ids.next('outc');
    const max_iterations = event.max_iterations ?? null;
    session.outcomes.push(new Outcome(outcome_id, event.description, max_iterations ?? DEFAULT_ITERATIONS));
    return session.record({ ...event, outcome_id, max_iterations });
  }

  private confirm(queued: WireEvent): void {
    const { session } = this;
    const stamped = session.process(queued);
    const call = session.calls.find(String(stamped.tool_use_id));
    if (!call) return;
    this.copyToChild(stamped, call.threadId, call.id);
    const thread = this.threadOf(call.threadId);
    // An archived thread's late answer is kept and has no effect.
    if (thread && !thread.busy && thread.status !== 'terminated') this.startEmptyCycle();
  }

  /** A child's own log shows the answer under the ids of that log. */
  private copyToChild(answer: WireEvent, threadId: string, callId: string): void {
    const thread = this.threadOf(threadId);
    if (!thread || thread === this.session.primary) return;
    const own = 'tool_use_id' in answer ? { tool_use_id: callId } : { custom_tool_use_id: callId };
    thread.log.append({ ...answer, ...own, id: this.session.platform.ids.next('sevt') });
  }

  private threadOf(id: string) {
    return this.session.threads.find((thread) => thread.id === id);
  }

  /** An answer that nothing waits for wakes the session for nothing: it runs and idles, and asks no model. */
  private startEmptyCycle(): void {
    const { session } = this;
    const { primary } = session;
    if (!primary.busy && primary.status === 'idle') primary.task = session.tasks.start(cycle());

    function* cycle(): Program {
      session.threadRunning(primary);
      yield PHASE;
      session.threadIdle(primary, { type: 'end_turn' });
    }
  }
}
