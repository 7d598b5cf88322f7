import { LRUCache } from 'lru-cache';
import { type EventCursor } from '../log/cursor.js';
import { type PendingAction } from '../log/pending.js';
import { type Answers, given, type GivenAnswer, kindOf } from './answer.js';

/** How long an answer is remembered, in milliseconds: far longer than the list of events lags. */
const TTL_MS = 5 * 60_000;
/** How many are remembered, about 2 KB each with their cursor. The oldest ones are dropped first. */
const MAX_ANSWERS = 5000;

export interface SentAnswer {
  readonly answer: GivenAnswer;
  /** From before the answer was sent, awaiting it. */
  readonly cursor: EventCursor;
}

/**
 * The answers that this process sent recently. The list of events can lag what the API accepted, and that must not cause
 * a second answer to the same call.
 */
export class SentAnswers {
  private readonly answers: LRUCache<string, SentAnswer>;

  /** @param clock milliseconds that never decrease; `performance` unless a test sets another one */
  constructor(clock: { now(): number } = performance) {
    this.answers = new LRUCache({ max: MAX_ANSWERS, ttl: TTL_MS, ttlResolution: 0, perf: clock });
  }

  find(sessionId: string, toolUseId: string, kind: PendingAction['kind']): SentAnswer | undefined {
    return this.answers.get(keyOf(sessionId, toolUseId, kind));
  }

  add(sessionId: string, answers: Answers, cursor: EventCursor): void {
    for (const [toolUseId, answer] of answers) this.addGiven(sessionId, toolUseId, { answer: given(answer), cursor });
  }

  /** An answer of another process. */
  addGiven(sessionId: string, toolUseId: string, sent: SentAnswer): void {
    this.answers.set(keyOf(sessionId, toolUseId, kindOf(sent.answer.type)), sent);
  }
}

function keyOf(sessionId: string, toolUseId: string, kind: PendingAction['kind']): string {
  return `${sessionId} ${toolUseId} ${kind}`;
}
