import { type EventCursor, isDelivered } from '../../managed-agents/log/cursor.js';
import { type LogEvent } from '../../managed-agents/log/event.js';
import { type Situation } from '../../managed-agents/log/situation.js';

/**
 * Why a wait returns.
 * - `turn_over`: the turn ended; see `failed`. `outcome_evaluated`: an outcome was evaluated, and the agent continues.
 * - `action_required`: calls of the agent or, while it works, of a sub-agent are pending.
 * - `budget_reached`, `terminated`, `deleted`: the state of the session.
 * - `timeout`: none of these. `draining`: the server is restarting.
 */
export type WaitReason =
  | 'turn_over'
  | 'action_required'
  | 'outcome_evaluated'
  | 'budget_reached'
  | 'terminated'
  | 'deleted'
  | 'timeout'
  | 'draining';

/** Results after which the agent revises its work; after any other result the turn ends. */
const GOES_ON: ReadonlySet<unknown> = new Set(['needs_revision']);

/** The reason to return now, if there is one. */
export function reasonToReturn(situation: Situation, since: EventCursor): WaitReason | undefined {
  switch (situation.turn) {
    case 'over':
      return 'turn_over';
    case 'terminated':
    case 'budget_reached':
      return situation.turn;
    case 'requires_action':
    case 'running':
      if (waitsForCaller(situation)) return 'action_required';
      return isNewVerdict(situation.evaluation, since) ? 'outcome_evaluated' : undefined;
    case 'queued':
      return goesOn(situation) && isNewVerdict(situation.evaluation, since) ? 'outcome_evaluated' : undefined;
    case 'not_started':
      return undefined;
  }
}

/** Whether a paused turn will continue, in which case the evaluated work is revised in it. */
function goesOn({ stopReason }: Situation): boolean {
  return stopReason?.type === 'requires_action' || stopReason?.type === 'budget_reached';
}

/** A call that only a self-hosted worker can answer does not count: as a rule it is answered soon. */
function waitsForCaller({ turn, pendingActions }: Situation): boolean {
  // If the calls themselves were not found, the stop reason still shows that some are pending.
  if (pendingActions.length === 0) return turn === 'requires_action';
  return pendingActions.some(({ kind }) => kind !== 'tool_result');
}

function isNewVerdict(evaluation: LogEvent | undefined, since: EventCursor): boolean {
  return evaluation !== undefined && GOES_ON.has(evaluation.result) && !isDelivered(since, evaluation);
}
