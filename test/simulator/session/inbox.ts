import { array } from '../http/body.js';
import type { ClientEvent, WireEvent } from '../wire.js';
import { checkShape } from './input-shapes.js';
import { InputRules } from './input-rules.js';
import { interrupt } from './interrupt.js';
import { Outcome } from './outcome.js';
import type { SessionState } from './state.js';
import type { Call } from './calls.js';
import { PHASE, type Program } from './tasks.js';
import type { Thread } from './thread.js';

const DEFAULT_ITERATIONS = 3;

/** What clients send: checked as a whole, accepted at once, and processed when the agent comes to it. */
export class Inbox {
  private queue: WireEvent[] = [];

  constructor(private readonly session: SessionState) {}

  /** Whether something waits that does not wait for the agent to come to it. */
  get urgent(): boolean {
    return this.queue.some(isInterrupt) || this.nextAnswer() !== undefined;
  }

  /** One bad event refuses the whole request. The answer is what was accepted, not what it leads to. */
  accept(body: unknown): WireEvent[] {
    const events = array(body, 'events', { min: 1 }).map((event, index) => checkShape(event, `events[${index}]`));
    new InputRules(this.session).check(events);
    const accepted = events.map((event) => this.take(event));
    const { ids, serialization } = this.session.platform;
    this.session.platform.wake();
    if (serialization.receiptIds === 'same') return accepted;
    return accepted.map((event) => ({ ...event, id: ids.next('sevt') }));
  }

  /** The first events of a session. They are taken as a whole with it and not echoed. */
  begin(events: readonly ClientEvent[]): void {
    for (const event of events) this.take(event);
    this.session.platform.wake();
  }

  /** An interrupt jumps the queue; then come answers, all that are not early. */
  takeUrgent(): boolean {
    const next = this.queue.find(isInterrupt);
    if (next) {
      this.dequeue(next);
      interrupt(this.session, next);
      return true;
    }
    let taken = false;
    for (let answer = this.nextAnswer(); answer; answer = this.nextAnswer()) {
      this.dequeue(answer);
      this.processAnswer(answer);
      taken = true;
    }
    return taken;
  }

  private nextAnswer(): WireEvent | undefined {
    return this.queue.find((answer) => !this.isEarly(this.callOf(answer)));
  }

  private dequeue(event: WireEvent): void {
    this.queue = this.queue.filter((other) => other !== event);
  }

  /** Whether the answer is early: a custom call that the agent made before this one in the same step still waits. */
  private isEarly(call: Call | undefined): boolean {
    const { calls, platform } = this.session;
    if (call?.kind !== 'custom' || platform.serialization.answerOrder === 'arrival') return false;
    const made = this.threadOf(call.threadId)?.openCalls ?? [];
    const before = made.slice(0, Math.max(made.indexOf(call), 0)).filter(({ kind }) => kind === 'custom');
    return calls.waiting(before.map(({ id }) => id)).length > 0;
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
    if (call) call.answerQueued = true;
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

  /** Results and outcomes are processed on receipt: they carry their stamp in the answer already, unless they are early. */
  private takeResult(event: Extract<ClientEvent, { type: 'user.custom_tool_result' | 'user.tool_result' }>): WireEvent {
    const call = this.callOf(event)!;
    if (event.type === 'user.tool_result' || !this.isEarly(call)) {
      return this.answer(call, () => this.session.record(event));
    }
    call.answerQueued = true;
    return this.enqueue(event, this.queue);
  }

  private defineOutcome(event: Extract<ClientEvent, { type: 'user.define_outcome' }>): WireEvent {
    const { session } = this;
    const outcome_id = session.platform.ids.next('outc');
    const max_iterations = event.max_iterations ?? null;
    session.outcomes.push(new Outcome(outcome_id, event.description, max_iterations ?? DEFAULT_ITERATIONS));
    return session.record({ ...event, outcome_id, max_iterations });
  }

  private processAnswer(queued: WireEvent): void {
    const call = this.callOf(queued);
    if (call) this.answer(call, () => this.session.process(queued));
    else this.session.process(queued);
  }

  private answer(call: Call, take: () => WireEvent): WireEvent {
    const { session } = this;
    const thread = this.threadOf(call.threadId);
    const isLate = call.result !== undefined;
    const stamped = thread && this.isResumedBy(call, thread) ? session.resumeChild(thread, take) : take();
    this.copyToChild(stamped, call.threadId, call.id);
    // An archived thread's late answer is kept and has no effect.
    if (isLate || (thread && !thread.busy && thread.status !== 'terminated')) this.startEmptyCycle();
    return stamped;
  }

  /** Whether this answer is the last one that a child needs to go on, while the session is idle. */
  private isResumedBy(call: Call, thread: Thread): boolean {
    const { calls, platform, primary, status } = this.session;
    if (!platform.serialization.staleIdle || thread === primary || status.announced !== 'idle') return false;
    if (primary.status !== 'idle' || thread.stop.type !== 'requires_action' || thread.status !== 'idle') return false;
    const waiting = calls.waiting(thread.stop.event_ids);
    return waiting.length === 1 && waiting[0] === call;
  }

  private callOf(answer: ClientEvent | WireEvent): Call | undefined {
    const { tool_use_id, custom_tool_use_id } = answer as Record<string, unknown>;
    return this.session.calls.find(String(tool_use_id ?? custom_tool_use_id));
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

function isInterrupt({ type }: WireEvent): boolean {
  return type === 'user.interrupt';
}
