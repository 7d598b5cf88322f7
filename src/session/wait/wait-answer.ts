import { advance, encodeCursor, type EventCursor } from '../../managed-agents/log/cursor.js';
import { type LogEvent } from '../../managed-agents/log/event.js';
import { dollars } from '../../managed-agents/money.js';
import { type Situation } from '../../managed-agents/log/situation.js';
import { truncate } from '../../mcp/result/truncate.js';
import { type Batch, batchOf } from '../batch.js';
import { nextStep } from '../next-step.js';
import { turnView } from '../session-view.js';
import { contentText } from '../transcript.js';
import { digestOf } from './digest.js';
import { type WaitReason } from './reason.js';
import { type Found } from './watch.js';

/** Room the answer needs beside its events and the final message: cursor, pending actions, usage. */
const ENVELOPE_CHARS = 3600;
/** Room for each pending action, should all of them be long. */
const ACTION_CHARS = 1200;
const MAX_FINAL_MESSAGE_CHARS = 16_000;
/** Reasons for which the turn's last message is its result. */
const RESULTS: ReadonlySet<WaitReason> = new Set(['turn_over', 'budget_reached', 'terminated']);

export interface WaitAnswerOptions {
  readonly since: EventCursor;
  readonly maxChars: number;
  /** What else the caller should know. */
  readonly notes: readonly string[];
}

/** The answer of `session_wait`. */
export function waitAnswer(found: Found, { since, maxChars, notes }: WaitAnswerOptions): object {
  const { reason, situation, events = [] } = found;
  const final = RESULTS.has(reason) ? situation?.lastMessage : undefined;
  const turn = { ...(situation && situationView(situation, maxChars)), ...(final && finalView(final, maxChars)) };
  const room = Math.max(maxChars - ENVELOPE_CHARS - JSON.stringify(turn).length, maxChars / 4);
  const batch = batchOf(events, (event) => digestOf(event, final), { maxChars: room, saysWhere: false });
  const cursor = advance(since, events.slice(0, batch.taken));
  return {
    session_id: since.sessionId,
    reason,
    status: reason === 'deleted' ? 'deleted' : (situation?.status ?? null),
    ...turn,
    ...eventsView(batch, found),
    // Whoever waits on has seen what there is; an input that was never taken up must not hold up every wait.
    next_since: encodeCursor(reason === 'timeout' ? { ...cursor, awaited: undefined } : cursor),
    ...noteView(found.trouble ? [...notes, TROUBLE_NOTE] : notes),
    next_step: nextStepAfter(found),
  };
}

const TROUBLE_NOTE = 'The Managed Agents API could not be read to the end; what is shown here may be a moment old.';

function eventsView({ entries, taken }: Batch, { events = [], hasMore }: Found): object {
  const omitted = taken - entries.length;
  return {
    events: entries,
    ...(omitted > 0 && { omitted }),
    has_more: hasMore || taken < events.length,
  };
}

function situationView(situation: Situation, maxChars: number): object {
  const { evaluation, usage } = situation;
  return {
    ...turnView(situation, Math.ceil(maxChars / ACTION_CHARS)),
    ...(evaluation && { outcome_evaluation: evaluationView(evaluation) }),
    ...(usage && usageView(usage)),
  };
}

function finalView(message: LogEvent, maxChars: number): object {
  return { final_message: truncate(contentText(message.content), Math.min(MAX_FINAL_MESSAGE_CHARS, maxChars / 4)) };
}

function evaluationView({ outcome_id, result, iteration, explanation }: LogEvent): object {
  return { outcome_id, result, iteration, explanation };
}

/** Tokens and cost so far; the session's whole usage is in session_get. */
function usageView({
  input_tokens,
  output_tokens,
  active_seconds,
  list_cost,
}: NonNullable<Situation['usage']>): object {
  return {
    usage: { input_tokens, output_tokens, active_seconds },
    cost_usd: dollars(list_cost as { amount: string } | undefined),
  };
}

function noteView(notes: readonly string[]): object {
  return notes.length > 0 ? { note: notes.join(' ') } : {};
}

function nextStepAfter({ reason, situation }: Found): string {
  switch (reason) {
    case 'deleted':
      return 'The session was deleted. Start another one with session_start.';
    case 'draining':
      return 'The server restarts. Call session_wait again in a few seconds with since set to next_since.';
    case 'outcome_evaluated':
      return 'The work was judged and the agent revises it. Call session_wait again with since set to next_since.';
    default:
      return situation ? nextStep(situation) : 'Call session_wait again with since set to next_since.';
  }
}
