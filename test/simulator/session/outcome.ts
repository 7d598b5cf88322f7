import { formatTime, type Micros } from '../clock.js';
import type { EventDraft, WireEvent } from '../wire.js';
import type { BetaManagedAgentsSession } from '@anthropic-ai/sdk/resources/beta/sessions';
import { PHASE, type Program } from './tasks.js';
import { modelUsage } from './usage.js';

export interface Verdict {
  result: 'satisfied' | 'needs_revision' | 'failed';
  explanation: string;
}

/** Where an outcome writes what happens to it. */
export interface OutcomeLog {
  record(draft: EventDraft): WireEvent;
  readonly now: Micros;
}

const UNFINISHED = ['pending', 'running', 'evaluating'];

/** A goal with a rubric: the agent works, a grader judges, and the agent revises until it is done. */
export class Outcome {
  iteration = 0;
  result = 'pending';
  explanation: string | null = null;
  completedAt: string | null = null;
  /** Whether the agent has not begun to work on it yet. */
  fresh = true;
  private evaluationStartId = '';

  constructor(
    readonly id: string,
    readonly description: string,
    private readonly maxIterations: number,
  ) {}

  get active(): boolean {
    return UNFINISHED.includes(this.result);
  }

  begin(): void {
    this.fresh = false;
    this.result = 'running';
  }

  describe(): BetaManagedAgentsSession['outcome_evaluations'][number] {
    return {
      type: 'outcome_evaluation',
      outcome_id: this.id,
      description: this.description,
      result: this.result,
      iteration: this.iteration,
      explanation: this.explanation,
      completed_at: this.completedAt,
    };
  }

  /** Grades one iteration; the agent is to revise as long as the outcome stays active. */
  *evaluate(log: OutcomeLog, verdict: Verdict): Program {
    const common = { outcome_id: this.id, iteration: this.iteration };
    this.result = 'evaluating';
    this.evaluationStartId = log.record({ type: 'span.outcome_evaluation_start', ...common }).id;
    yield PHASE;
    log.record({ type: 'span.outcome_evaluation_ongoing', ...common });
    yield PHASE;
    const outOfIterations = verdict.result === 'needs_revision' && this.iteration + 1 >= this.maxIterations;
    this.finishEvaluation(log, outOfIterations ? 'max_iterations_reached' : verdict.result, verdict.explanation);
    yield PHASE;
  }

  interrupt(log: OutcomeLog): void {
    this.finishEvaluation(log, 'interrupted', 'The outcome was interrupted.');
  }

  private finishEvaluation(log: OutcomeLog, result: string, explanation: string): void {
    log.record({
      type: 'span.outcome_evaluation_end',
      outcome_id: this.id,
      iteration: this.iteration,
      // Empty when an interrupt came before the first grading.
      outcome_evaluation_start_id: this.evaluationStartId,
      result,
      explanation,
      usage: modelUsage(900, 60),
    });
    this.explanation = explanation;
    this.evaluationStartId = '';
    if (result === 'needs_revision') {
      this.iteration += 1;
      this.result = 'running';
      return;
    }
    this.result = result;
    this.completedAt = formatTime(log.now);
  }
}
