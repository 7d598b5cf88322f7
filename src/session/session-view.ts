import { dollars } from '../managed-agents/api-values.js';
import { modelName } from '../managed-agents/api-values.js';
import { type PendingAction, type Situation, type Turn, type TurnError } from '../managed-agents/log/situation.js';
import { type Session, type SessionStatus } from '../managed-agents/sessions.service.js';
import { pendingActionView } from '../mcp/result/views.js';
import { nextStep } from './next-step.js';

const MAX_PENDING_ACTIONS = 10;
const MAX_RESOURCES = 20;

/** One line of `session_list`. The status is the session object's, which lags the event log by up to two seconds. */
export function sessionSummary(session: Session): object {
  const { id, status, title, agent, environment_id, metadata, created_at, archived_at } = session;
  return {
    id,
    status,
    title,
    agent: { id: agent.id, name: agent.name, version: agent.version },
    environment_id,
    metadata,
    created_at,
    archived_at,
    cost_usd: dollars(session.usage?.list_cost),
  };
}

/** The answer of `session_get`: the session object without its agent's whole configuration, and what its log adds. */
export function sessionSituation(session: Session, situation: Situation): object {
  const { agent, outcome_evaluations, resources, ...rest } = session;
  const status = statusOf(session, situation);
  return {
    ...rest,
    status,
    agent: { id: agent.id, name: agent.name, version: agent.version, model: modelName(agent.model) },
    ...turnView(situation),
    resources: (resources ?? []).slice(0, MAX_RESOURCES),
    resource_count: resources?.length ?? 0,
    queued_inputs: situation.queuedInputs,
    ...(!situation.complete && {
      note: 'The log is too long to be read back to the start of this turn; older pending actions may be missing.',
    }),
    ...(outcome_evaluations?.length > 0 && { outcome_evaluations }),
    cost_usd: dollars(session.usage?.list_cost),
    budget_usd: dollars(session.budget?.max_list_cost),
    next_step: status === 'terminated' ? nextStep({ ...situation, turn: 'terminated' }) : nextStep(situation),
  };
}

/** How a turn stands. */
export interface TurnView {
  readonly turn: Turn;
  readonly stop_reason: object | null;
  readonly stop_details?: object;
  readonly failed: boolean;
  readonly error?: TurnError;
  /** Errors in spite of which the turn went on. */
  readonly warnings?: readonly TurnError[];
  readonly pending_actions: readonly object[];
  /** How many there are, those not shown included. */
  readonly pending_count: number;
}

/** How the turn stands, for everyone who reports on it, with so many of its pending actions at most. */
export function turnView(situation: Situation, maxActions = MAX_PENDING_ACTIONS): TurnView {
  const shown = situation.pendingActions.slice(0, Math.min(maxActions, MAX_PENDING_ACTIONS));
  return {
    turn: situation.turn,
    // Ids are short; only where room is scarce are those of actions not shown left out.
    stop_reason: stopReasonView(situation, maxActions < MAX_PENDING_ACTIONS ? shown : situation.pendingActions),
    ...(situation.stopDetails && { stop_details: situation.stopDetails }),
    failed: situation.failed,
    ...(situation.error && { error: situation.error }),
    ...(situation.warnings && { warnings: situation.warnings }),
    pending_actions: shown.map((action) => pendingActionView(action)),
    pending_count: situation.pendingActions.length,
  };
}

/** The log knows first; only the end of a session is certain from the object. */
function statusOf(session: Session, situation: Situation): SessionStatus {
  if (session.status === 'terminated') return 'terminated';
  return situation.status ?? session.status;
}

/** The stop reason as far as it still holds: not once the session goes on, and without the calls answered since. */
function stopReasonView({ turn, stopReason }: Situation, shown: readonly PendingAction[]): object | null {
  if (!stopReason || turn === 'queued' || turn === 'running') return null;
  if (turn !== 'requires_action') return stopReason;
  return { ...stopReason, event_ids: shown.map((action) => action.toolUseId) };
}
