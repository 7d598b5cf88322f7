import { type PendingAction, type Situation, type TurnError } from '../managed-agents/log/situation.js';

/** One sentence that names the next call. */
export function nextStep({ turn, failed, error, warnings, pendingActions }: Situation): string {
  switch (turn) {
    case 'not_started':
      return 'Nothing was asked yet. Give it work with session_message.';
    case 'queued':
    case 'running':
      return pendingActions.length > 0
        ? `${whoAsks(pendingActions)} ${whatToAnswer(pendingActions)}`
        : 'The agent works. Call session_wait with since set to the newest next_since.';
    case 'requires_action':
      return whatToAnswer(pendingActions);
    case 'budget_reached':
      return 'The budget of the session is used up. session_update with a higher budget_usd lets it go on, if the user agrees.';
    case 'over':
      return failed
        ? `The turn ended by an error. ${whatHelps(error)}`
        : `The turn is over${warnings ? ', but something did not work in it: tell the user what warnings says' : ''}. Continue with session_message, or end with session_archive.`;
    case 'terminated':
      return 'The session has ended and takes no more input. Start another one with session_start.';
  }
}

/** Only the calls of sub-agents carry a thread; the agent's own calls can be listed shortly before its idle. */
function whoAsks(actions: readonly PendingAction[]): string {
  return actions.every(({ sessionThreadId }) => sessionThreadId !== undefined)
    ? 'The agent works, but a call of a sub-agent waits for an answer.'
    : 'The agent waits for an answer, while other calls may still run.';
}

function whatToAnswer(actions: readonly PendingAction[]): string {
  if (actions.length === 0)
    return 'The agent waits, but its log does not say for what. Call session_get again in a moment, and read session_events; session_interrupt stops the waiting.';
  const kinds = new Set(actions.map(({ kind }) => kind));
  const steps = [
    kinds.has('tool_confirmation') &&
      'Show the user the pending actions, then allow or deny them with session_respond. Where input_truncated is true, the whole input is in session_events with format detailed.',
    kinds.has('custom_tool_result') &&
      'Answer those of kind custom_tool_result with session_respond and custom_result, after the user has agreed.',
    kinds.has('tool_result') &&
      'Those of kind tool_result wait for the worker of a self-hosted environment; session_interrupt gives up on it.',
    kinds.has('unknown') &&
      'Those of kind unknown were not found in the log and can only be denied: session_respond with result deny.',
  ];
  return steps.filter(Boolean).join(' ');
}

/** By the documented types of `session.error`; the set is open. */
function whatHelps(error: TurnError | undefined): string {
  const type = error?.type ?? '';
  if (type === 'billing_error') return 'The organization has to settle its bill first; tell the user.';
  if (type.startsWith('mcp_authentication') || type.startsWith('credential_'))
    return 'A credential does not work: choose other vault_ids in a new session, or tell the user to renew it.';
  if (type.startsWith('mcp_connection')) return 'An MCP server of the agent cannot be reached; tell the user.';
  if (type.startsWith('repository_'))
    return 'A repository could not be prepared: correct it in a new session, or tell the user.';
  if (type.startsWith('model_'))
    return 'The model was not available. Wait a minute, then ask it to go on with session_message.';
  return 'Read error, then try again with session_message or tell the user.';
}
