import { type EventCursor } from '../log/cursor.js';
import { type Answers, given, type GivenAnswer, kindOf } from './answer.js';
import { type PendingAction } from '../log/pending.js';

/** How long an answer is remembered, in milliseconds: far longer than a list of events lags behind. */
const MEMORY_MS = 5 * 60_000;
/** How many are remembered; about 2 KB each with its cursor. The oldest ones are forgotten first. */
const MAX_REMEMBERED = 5000;

export interface RecentAnswer {
  readonly answer: GivenAnswer;
  /** From before the answer was sent, awaiting it. */
  readonly cursor: EventCursor;
}

/**
 * What this process answered lately. The list of events can be a moment behind what the API accepted, and a second
 * answer to the same call must not go out because of that.
 */
export class RecentAnswers {
  /** In the order in which they were given. */
  private readonly answers = new Map<string, RecentAnswer & { readonly at: number }>();

  /** @param now milliseconds on a clock that never goes back */
  constructor(private readonly now: () => number = () => performance.now()) {}

  find(sessionId: string, toolUseId: string, kind: PendingAction['kind']): RecentAnswer | undefined {
    this.forgetOld();
    return this.answers.get(key(sessionId, toolUseId, kind));
  }

  remember(sessionId: string, answers: Answers, cursor: EventCursor): void {
    for (const [toolUseId, answer] of answers) {
      const place = key(sessionId, toolUseId, kindOf(answer.type));
      this.answers.delete(place);
      this.answers.set(place, { answer: given(answer), cursor, at: this.now() });
    }
    this.forgetOld();
  }

  private forgetOld(): void {
    const since = this.now() - MEMORY_MS;
    for (const [place, { at }] of this.answers) {
      if (at > since && this.answers.size <= MAX_REMEMBERED) return;
      this.answers.delete(place);
    }
  }
}

function key(sessionId: string, toolUseId: string, kind: PendingAction['kind']): string {
  return `${sessionId} ${toolUseId} ${kind}`;
}
