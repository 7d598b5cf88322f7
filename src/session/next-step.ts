import { type Situation, type TurnError } from '../managed-agents/log/situation.js';

/** One sentence that names the next call. */
export function nextStep({ turn, failed, error, pendingActions }: Situation): string {
  switch (turn) {
    case 'not_started':
      return 'Nothing was asked yet. Give it work with session_message.';
    case 'queued':
    case 'running':
      return pendingActions.length > 0
        ? 'The agent works, but a call of a sub-agent waits for an answer: session_respond.'
        : 'The agent works. Call session_wait with since set to the newest next_since.';
    case 'requires_action':
      return whatToAnswer(pendingActions.map(({ kind }) => kind));
    case 'budget_reached':
      return 'The budget of the session is used up. session_update with a higher budget_usd lets it go on, if the user agrees.';
    case 'over':
      return failed
        ? `The turn ended by an error. ${whatHelps(error)}`
        : 'The turn is over. Continue with session_message, or end with session_archive.';
    case 'terminated':
      return 'The session has ended and takes no more input. Start another one with session_start.';
  }
}

function whatToAnswer(kinds: readonly string[]): string {
  if (kinds.every((kind) => kind === 'tool_result'))
    return 'The agent waits for the worker of its self-hosted environment. session_interrupt gives up on it.';
  if (kinds.includes('custom_tool_result'))
    return 'Show the user the pending actions; answer custom_tool_result ones with session_respond and custom_result, the others with result allow or deny.';
  return 'Show the user the pending actions, then allow or deny them with session_respond. Where input_truncated is true, the whole input is in session_events with format detailed.';
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
