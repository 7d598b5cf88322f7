import { dollars } from '../managed-agents/api-values.js';
import { modelName } from '../managed-agents/api-values.js';
import {
  type PendingAction,
  type Situation,
  terminated,
  type Turn,
  type TurnError,
} from '../managed-agents/log/situation.js';
import { type Session } from '../managed-agents/sessions.service.js';
import { pendingActionView } from '../mcp/result/views.js';

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
export function sessionSituation(session: Session, logged: Situation): object {
  const { agent, outcome_evaluations, resources, ...rest } = session;
  // The log knows first; only the end of a session is certain from the object.
  const situation = session.status === 'terminated' ? terminated(logged) : logged;
  const status = situation.status ?? session.status;
  return {
    ...rest,
    status,
    agent: { id: agent.id, name: agent.name, version: agent.version, model: modelName(agent.model) },
    ...turnView(situation),
    resources: (resources ?? []).slice(0, MAX_RESOURCES),
    resource_count: resources?.length ?? 0,
    queued_inputs: situation.queuedInputs,
    ...(situation.unreadable !== undefined && { unreadable: situation.unreadable }),
    ...(!situation.complete && {
      note: 'The log is too long to be read back to the start of this turn; older pending actions may be missing.',
    }),
    ...(outcome_evaluations?.length > 0 && { outcome_evaluations }),
    cost_usd: dollars(session.usage?.list_cost),
    budget_usd: dollars(session.budget?.max_list_cost),
    next_step: nextStep(situation),
  };
}

/** The state of a turn. */
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

/** The state of the turn, with at most `maxActions` of its pending actions. */
export function turnView(situation: Situation, maxActions = MAX_PENDING_ACTIONS): TurnView {
  const shown = situation.pendingActions.slice(0, Math.min(maxActions, MAX_PENDING_ACTIONS));
  return {
    turn: situation.turn,
    // Ids are short, so those of actions that are not shown are left out only when the answer must be small.
    stop_reason: stopReasonView(situation, maxActions < MAX_PENDING_ACTIONS ? shown : situation.pendingActions),
    ...(situation.stopDetails && { stop_details: situation.stopDetails }),
    failed: situation.failed,
    ...(situation.error && { error: situation.error }),
    ...(situation.warnings && { warnings: situation.warnings }),
    pending_actions: shown.map((action) => pendingActionView(action)),
    pending_count: situation.pendingActions.length,
  };
}

/** The stop reason while it is valid: not once the session continues, and without the calls answered since. */
function stopReasonView({ turn, stopReason }: Situation, shown: readonly PendingAction[]): object | null {
  if (!stopReason || turn === 'queued' || turn === 'running') return null;
  if (turn !== 'requires_action') return stopReason;
  return { ...stopReason, event_ids: shown.map((action) => action.toolUseId) };
}

/** One sentence that names the next call. */
export function nextStep({ turn, failed, error, warnings, pendingActions }: Situation): string {
  switch (turn) {
    case 'not_started':
      return 'The session has no work yet. Send it a task with session_message.';
    case 'queued':
    case 'running':
      return pendingActions.length > 0
        ? `${whoAsks(pendingActions)} ${whatToAnswer(pendingActions)}`
        : 'The agent is working. Call session_wait with since set to the newest next_since.';
    case 'requires_action':
      return whatToAnswer(pendingActions);
    case 'budget_reached':
      return 'The session has reached its budget. If the user agrees, raise budget_usd with session_update, and the session continues.';
    case 'over':
      return failed
        ? `The turn ended with an error. ${whatHelps(error)}`
        : `The turn is over${warnings ? ', but something did not work in it: tell the user what warnings says' : ''}. Continue with session_message, or end with session_archive.`;
    case 'terminated':
      return 'The session has ended and accepts no more input. Start another one with session_start.';
  }
}

/** Only the calls of sub-agents carry a thread; the agent's own calls can be listed shortly before its idle. */
function whoAsks(actions: readonly PendingAction[]): string {
  return actions.every(({ sessionThreadId }) => sessionThreadId !== undefined)
    ? 'The agent is working, but a call of a sub-agent is pending.'
    : 'The agent waits for an answer, and other calls may still be running.';
}

function whatToAnswer(actions: readonly PendingAction[]): string {
  if (actions.length === 0)
    return 'The agent waits, but its log does not show for what. Call session_get again in a moment and read session_events; to stop waiting, call session_interrupt.';
  const kinds = new Set(actions.map(({ kind }) => kind));
  const steps = [
    kinds.has('tool_confirmation') &&
      'Show the user the pending actions, then allow or deny them with session_respond. If input_truncated is true, session_events with format detailed has the whole input.',
    kinds.has('custom_tool_result') &&
      'Answer those of kind custom_tool_result with session_respond and custom_result, after the user has agreed.',
    kinds.has('tool_result') &&
      'Those of kind tool_result wait for the worker of a self-hosted environment; to stop waiting, call session_interrupt.',
    kinds.has('unknown') &&
      'Those of kind unknown were not found in the log and can only be denied: session_respond with result deny.',
  ];
  return steps.filter(Boolean).join(' ');
}

/** By the documented types of `session.error`; the set is open. */
function whatHelps(error: TurnError | undefined): string {
  const type = error?.type ?? '';
  if (type === 'billing_error') return 'The organization has an unpaid bill. Tell the user.';
  if (type.startsWith('mcp_authentication') || type.startsWith('credential_'))
    return 'A credential does not work. Start a new session with other vault_ids, or tell the user to renew the credential.';
  if (type.startsWith('mcp_connection')) return 'An MCP server of the agent cannot be reached. Tell the user.';
  if (type.startsWith('repository_'))
    return 'A repository could not be cloned. Correct it in a new session, or tell the user.';
  if (type.startsWith('model_'))
    return 'The model was not available. Wait a minute, then tell the agent to continue with session_message.';
  return 'Read the field error, then try again with session_message, or tell the user.';
}
