import { advance, type EventCursor, isAwaited } from '../../managed-agents/log/cursor.js';
import { encodeCursor } from '../../managed-agents/log/cursor-text.js';
import { type LogEvent } from '../../managed-agents/log/event.js';
import { dollars } from '../../managed-agents/api-values.js';
import { type Situation } from '../../managed-agents/log/situation.js';
import { truncate } from '../../mcp/result/truncate.js';
import { batchOf, contentText, digestOf } from '../transcript.js';
import { nextStep, type TurnView, turnView } from '../session-view.js';
import { type WaitReason } from './reason.js';
import { type WaitOutcome } from './session-wait.js';

/** Reserved for the cursor, the pending actions and the usage. */
const ENVELOPE_CHARS = 3600;
/** Reserved for each pending action, if all of them are long. */
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

/**
 * The answer of `session_wait`. A model pays for each character and waits several times in a turn, so empty fields and
 * repetitions of other fields are left out.
 */
export function waitAnswer(found: WaitOutcome, { since, maxChars, notes }: WaitAnswerOptions): object {
  const { reason, situation, events = [] } = found;
  const final = RESULTS.has(reason) ? situation?.lastMessage : undefined;
  const head = { reason, status: reason === 'deleted' ? 'deleted' : (situation?.status ?? null) };
  const turn = {
    ...(situation && situationView(situation, head, maxChars)),
    ...(final && finalView(final, maxChars)),
  };
  const room = Math.max(maxChars - ENVELOPE_CHARS - JSON.stringify(turn).length, maxChars / 4);
  const describe = (event: LogEvent) => (isAwaited(since, event) ? undefined : digestOf(event, final));
  const batch = batchOf(events, describe, { maxChars: room, countsOmitted: false });
  const cursor = advance(since, events.slice(0, batch.taken));
  return {
    ...head,
    ...turn,
    events: batch.entries,
    ...unreadableView(found),
    ...((found.hasMore || batch.taken < events.length) && { has_more: true }),
    // After a time-out the caller has seen all events; an input that is never processed must not delay every later wait.
    next_since: encodeCursor(reason === 'timeout' ? { ...cursor, awaited: undefined } : cursor),
    ...(since.outrun && { may_have_missed: true }),
    ...noteView(found.lastError ? [...notes, LAST_ERROR_NOTE] : notes),
    next_step: nextStepAfter(found),
  };
}

const LAST_ERROR_NOTE = 'The Managed Agents API could not be read completely; this answer may be slightly out of date.';

/** What is true of the turn beyond its reason and status. */
function situationView(situation: Situation, head: { reason: WaitReason; status: unknown }, maxChars: number): object {
  const { evaluation, usage } = situation;
  return {
    ...briefTurn(turnView(situation, Math.ceil(maxChars / ACTION_CHARS)), head),
    ...(evaluation && { outcome_evaluation: evaluationView(evaluation) }),
    ...(usage && usageView(usage)),
  };
}

/** The view of the turn, without empty fields and without what reason and status already contain. */
function briefTurn(view: TurnView, { reason, status }: { reason: WaitReason; status: unknown }): object {
  const { turn, stop_reason, failed, pending_actions, pending_count, ...rest } = view;
  return {
    ...(turn !== status && turn !== reason && reason !== 'turn_over' && { turn }),
    ...(stop_reason && { stop_reason }),
    ...(failed && { failed }),
    ...rest,
    ...(pending_count > 0 && { pending_actions }),
    ...(pending_count > pending_actions.length && { pending_count }),
  };
}

function finalView(message: LogEvent, maxChars: number): object {
  return { final_message: truncate(contentText(message.content), Math.min(MAX_FINAL_MESSAGE_CHARS, maxChars / 4)) };
}

function evaluationView({ outcome_id, result, iteration, explanation }: LogEvent): object {
  return { outcome_id, result, iteration, explanation };
}

/** Tokens and cost so far; the session's whole usage is in session_get. */
function usageView({ input_tokens, output_tokens, list_cost }: NonNullable<Situation['usage']>): object {
  return { usage: { input_tokens, output_tokens }, cost_usd: dollars(list_cost as { amount: string } | undefined) };
}

/** The situation and the events are read from the same log, so the larger of both counts is the better one. */
function unreadableView({ unreadable = 0, situation }: WaitOutcome): object {
  const count = Math.max(unreadable, situation?.unreadable ?? 0);
  return count > 0 ? { unreadable: count } : {};
}

function noteView(notes: readonly string[]): object {
  return notes.length > 0 ? { note: notes.join(' ') } : {};
}

function nextStepAfter({ reason, situation }: WaitOutcome): string {
  switch (reason) {
    case 'deleted':
      return 'The session was deleted. Start another one with session_start.';
    case 'draining':
      return 'The server is restarting. In a few seconds, call session_wait with since=next_since.';
    case 'outcome_evaluated':
      return 'The outcome was evaluated and the agent revises its work. Call session_wait with since=next_since.';
    case 'timeout':
      return situation && !isWorking(situation) ? nextStep(situation) : WAIT_ON;
    default:
      return situation ? nextStep(situation) : WAIT_ON;
  }
}

const WAIT_ON = 'Call session_wait with since=next_since.';

function isWorking({ turn, pendingActions }: Situation): boolean {
  return (turn === 'running' || turn === 'queued') && pendingActions.length === 0;
}
