import { modelName } from '../managed-agents/model-name.js';
import { type PendingAction, type Situation } from '../managed-agents/log/situation.js';
import { type Session, type SessionStatus } from '../managed-agents/sessions.service.js';
import { truncateMiddle } from '../mcp/result/truncate.js';

const MAX_INPUT_CHARS = 1500;
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
    turn: situation.turn,
    stop_reason: stopReasonView(situation),
    ...(situation.stopDetails && { stop_details: situation.stopDetails }),
    failed: situation.failed,
    ...(situation.error && { error: situation.error }),
    pending_actions: situation.pendingActions.slice(0, MAX_PENDING_ACTIONS).map(pendingActionView),
    pending_count: situation.pendingActions.length,
    resources: (resources ?? []).slice(0, MAX_RESOURCES),
    resource_count: resources?.length ?? 0,
    queued_inputs: situation.queuedInputs,
    ...(!situation.complete && {
      note: 'The log is too long to be read back to the start of this turn; older pending actions may be missing.',
    }),
    ...(outcome_evaluations?.length > 0 && { outcome_evaluations }),
    cost_usd: dollars(session.usage?.list_cost),
    budget_usd: dollars(session.budget?.max_list_cost),
    next_step: nextStep(situation, status),
  };
}

/** What a person decides about. A long input is shown as text with its middle cut out, so that its end is seen, too. */
function pendingActionView(action: PendingAction): object {
  const input = JSON.stringify(action.input) ?? '';
  const tooLong = input.length > MAX_INPUT_CHARS;
  return {
    tool_use_id: action.toolUseId,
    kind: action.kind,
    tool: action.tool,
    mcp_server: action.mcpServer,
    input: tooLong ? truncateMiddle(input, MAX_INPUT_CHARS) : action.input,
    ...(tooLong && { input_truncated: true }),
    session_thread_id: action.sessionThreadId,
    since: action.since,
  };
}

/** The log knows first; only the end of a session is certain from the object. */
function statusOf(session: Session, situation: Situation): SessionStatus {
  if (session.status === 'terminated') return 'terminated';
  return situation.status ?? session.status;
}

/** The stop reason as far as it still holds: not once the session goes on, and without the calls answered since. */
function stopReasonView({ turn, stopReason, pendingActions }: Situation): object | null {
  if (!stopReason || turn === 'queued' || turn === 'running') return null;
  if (turn !== 'requires_action') return stopReason;
  return { ...stopReason, event_ids: pendingActions.map((action) => action.toolUseId) };
}

/** Cents as a decimal string, in dollars. */
function dollars(money: { amount: string } | null | undefined): number | null {
  const cents = Number(money?.amount ?? Number.NaN);
  return Number.isFinite(cents) ? cents / 100 : null;
}

function nextStep({ turn, failed, pendingActions }: Situation, status: SessionStatus): string {
  if (status === 'terminated')
    return 'The session has ended and takes no more input. Start another one with session_start.';
  switch (turn) {
    case 'not_started':
      return 'Nothing was asked yet. Give it work with session_message.';
    case 'queued':
    case 'running':
      return pendingActions.length > 0
        ? 'The agent works, but a call of a sub-agent waits for an answer: session_respond.'
        : 'The agent works. Read session_events, then call session_get again.';
    case 'requires_action':
      return pendingActions.every((action) => action.kind === 'tool_confirmation')
        ? 'Show the user the pending actions, then allow or deny them with session_respond. Where input_truncated is true, the whole input is in session_events with format detailed.'
        : 'The agent waits for a tool result from outside. session_interrupt gives up on it.';
    case 'budget_reached':
      return 'The budget of the session is used up. The operator can raise it; a new session can have a higher budget_usd.';
    case 'over':
      return failed
        ? 'The turn ended by an error. Read it, then try again with session_message or tell the user.'
        : 'The turn is over. Read its result with session_events; continue with session_message, or end with session_archive.';
    case 'terminated':
      return 'The session has ended. Start another one with session_start.';
  }
}
