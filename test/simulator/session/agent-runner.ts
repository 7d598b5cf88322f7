import type { CallOutcome, Scenario, Step, Turn } from '../scenario.js';
import type { StopDetails, StopReason } from '../wire.js';
import { CallRunner, type Play } from './call-runner.js';
import { textOf } from './calls.js';
import { ModelRequests } from './model-requests.js';
import type { Verdict } from './outcome.js';
import type { SessionState } from './state.js';
import { PHASE, type Program } from './tasks.js';
import { ThreadRunner } from './thread-runner.js';
import type { Thread } from './thread.js';
import { runWorkflow } from './workflow.js';

interface Ending {
  stop: StopReason;
  details?: StopDetails;
}

interface LiveTurn extends Turn {
  outcome?: { id: string; description: string; iteration: number };
}

/** Plays a scenario on one thread and records what the API would. */
export class AgentRunner {
  private ending?: Ending;
  private verdict?: Verdict;
  private current?: LiveTurn;
  private readonly requests: ModelRequests;
  private readonly callRunner: CallRunner;
  private readonly threadRunner: ThreadRunner;

  constructor(
    private readonly session: SessionState,
    private readonly thread: Thread,
  ) {
    this.requests = new ModelRequests(session, thread, () => this.absorb());
    this.callRunner = new CallRunner(session, thread, this.requests);
    this.threadRunner = new ThreadRunner(session, thread, this.requests);
  }

  /** From running to idle. What arrives on the way is folded into the same turn. */
  *turn(): Program {
    const { scenarios } = this.session.platform;
    this.session.threadRunning(this.thread, scenarios.errorsAtStart(this.session.config.agent.id));
    yield PHASE;
    do {
      this.ending = undefined;
      this.current = this.beginTurn();
      this.absorb();
      yield* this.stretch(this.session.platform.scenarios.get(this.session.config.agent.id), this.current);
      if (this.session.status.actual === 'terminated') return;
    } while (this.hasInput);
    this.goIdle();
  }

  /** A child thread's one task, begun while it already counts as running: it gets a message, works, and reports. */
  *assignment(message: string, scenario: Scenario): Program {
    const { session, thread } = this;
    const content = [{ type: 'text' as const, text: message }];
    const from_session_thread_id = session.primary.id;
    session.record({ type: 'agent.thread_message_received', from_session_thread_id, content }, thread);
    const turn = { ...this.beginTurn(), texts: [message] };
    this.current = turn;
    yield* this.stretch(scenario, turn);
    yield* this.threadRunner.report();
    this.goIdle();
  }

  private get hasInput(): boolean {
    return this.thread.inbox.length > 0 || this.session.outcomes.some(({ fresh }) => fresh);
  }

  private goIdle(): void {
    const { stop, details }: Ending = this.ending ?? { stop: { type: 'end_turn' } };
    this.session.threadIdle(this.thread, stop, details);
  }

  private beginTurn(): LiveTurn {
    this.thread.turns += 1;
    return { texts: [], events: [], number: this.thread.turns, agentName: this.thread.agentName };
  }

  /** Takes the messages that wait; says whether there were any. */
  private absorb(): boolean {
    const waiting = this.thread.inbox.splice(0);
    for (const queued of waiting) {
      const event = this.session.process(queued);
      this.current?.events.push(event);
      if (event.type === 'user.message') this.current?.texts.push(textOf(event.content));
    }
    return waiting.length > 0;
  }

  private *stretch(scenario: Scenario, turn: LiveTurn): Program {
    const outcome =
      this.thread === this.session.primary ? this.session.outcomes.find(({ active }) => active) : undefined;
    outcome?.begin();
    do {
      this.verdict = undefined;
      if (outcome) turn.outcome = { id: outcome.id, description: outcome.description, iteration: outcome.iteration };
      yield* this.play(scenario, turn);
      if (this.ending || !outcome) return;
      yield* outcome.evaluate(
        this.session,
        this.verdict ?? { result: 'satisfied', explanation: 'All criteria are met.' },
      );
    } while (outcome.active);
  }

  private *play(scenario: Scenario, turn: Turn): Program {
    const steps = typeof scenario === 'function' ? scenario(turn) : scenario;
    const iterator = steps[Symbol.iterator]() as Iterator<Step, void, CallOutcome[]>;
    let outcomes: CallOutcome[] = [];
    try {
      while (!this.ending) {
        const next = iterator.next(outcomes);
        if (next.done) break;
        outcomes = (yield* this.perform(next.value)) ?? [];
      }
      if (this.requests.close()) yield PHASE;
    } finally {
      iterator.return?.();
    }
  }

  private *perform(step: Step): Play {
    switch (step.type) {
      case 'think':
        yield* this.requests.open();
        this.requests.produce('agent.thinking');
        yield PHASE;
        return [];
      case 'say':
      case 'tool':
      case 'custom_tool':
        return yield* this.callRunner.respond([step]);
      case 'together':
        return yield* this.callRunner.respond(step.parts);
      case 'wait':
        yield this.session.tasks.sleep(step.ms);
        return [];
      case 'error':
        yield* this.fail(step);
        return [];
      case 'spawn_thread':
        return yield* this.threadRunner.spawn(step, (child) =>
          new AgentRunner(this.session, child).assignment(step.message, step.steps),
        );
      case 'join_threads':
        return yield* this.threadRunner.join();
      case 'workflow':
        runWorkflow(this.session, step);
        yield PHASE;
        return [];
      case 'raw':
        this.session.recordRaw(step, this.thread);
        yield PHASE;
        return [];
      case 'refuse':
        yield* this.requests.open();
        this.ending = { stop: { type: 'refusal' }, details: step.details };
        return [];
      case 'grade':
        this.verdict = step;
        return [];
      case 'spend':
        this.requests.spend(step);
        return [];
    }
  }

  private *fail({ error, stop, retryMs }: Extract<Step, { type: 'error' }>): Program {
    const { session, thread } = this;
    if (this.requests.close(true)) yield PHASE;
    session.record({ type: 'session.error', error }, thread);
    if (thread !== session.primary) session.record({ type: 'session.error', error });
    yield PHASE;
    if (error.retry_status.type === 'terminal') {
      this.ending = { stop: { type: 'retries_exhausted' } };
      session.terminate();
    } else if (stop) {
      this.ending = { stop: { type: 'retries_exhausted' } };
    } else if (error.retry_status.type === 'retrying') {
      session.threadRescheduled(thread);
      yield session.tasks.sleep(retryMs);
      session.threadRunning(thread);
      yield PHASE;
    }
  }
}
