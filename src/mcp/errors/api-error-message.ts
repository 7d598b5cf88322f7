import { type ApiError, type ApiErrorDetails } from '../../managed-agents/api-error.js';
import { plainText } from '../result/plain-text.js';
import { truncate } from '../result/truncate.js';

const MAX_API_MESSAGE_CHARS = 500;

/** What the model is told about a failed API call: one sentence on what happened, one on what to do. */
export function apiErrorMessage({ details: error }: ApiError): string {
  switch (error.kind) {
    case 'status':
      return statusMessage(error);
    case 'timeout':
      return `The Managed Agents API did not answer in time (${error.operation}). Try again in a moment.`;
    case 'connection':
      return `The Managed Agents API could not be reached (${error.operation}). Try again in a moment; if it persists, tell the operator.`;
    case 'uncertain':
      return `The connection broke while waiting for the answer (${error.operation}), so it may or may not have taken effect. ${lookFirst(error.operation)}`;
    case 'unreadable':
      return `The Managed Agents API sent an answer that could not be read (${error.operation}). Try again in a moment; if it persists, tell the operator.`;
    case 'credentials':
      return 'This server has no working Anthropic credential. Tell the operator to check ANTHROPIC_API_KEY or the credential chain.';
    case 'cancelled':
      return `The call was cancelled (${error.operation}).`;
  }
}

function lookFirst(operation: string): string {
  return operation === 'create session'
    ? 'Call session_list before you start it again: a second start would be a second session.'
    : 'Call session_events before you send it again: the API would take it twice.';
}

function statusMessage(error: ApiErrorDetails): string {
  const said = apiMessage(error);
  switch (error.status) {
    case 400:
      return `The Managed Agents API refused the request (${error.operation})${said}. ${hintFor400(error)}`;
    case 401:
      return 'The Managed Agents API does not accept the credential of this server. Tell the operator to check ANTHROPIC_API_KEY.';
    case 402:
      return 'The Anthropic organization of this server has a billing problem. Tell the operator.';
    case 403:
      return `The credential of this server may not do this (${error.operation})${said}. Tell the operator.`;
    case 404:
      return `Not found (${error.operation})${said}. Check the id with the matching list tool; it may also have been deleted or belong to another workspace.`;
    case 409:
      return `The Managed Agents API reports a conflict (${error.operation})${said}. Read the current state and try again.`;
    case 413:
      return `The request is too large for the Managed Agents API (${error.operation}). Send less text, or attach a file by id.`;
    case 429:
      return `The rate or spend limit of the Anthropic organization is reached. ${retryHint(error.retryAfterSeconds)}`;
    case 529:
      return `The Managed Agents API is overloaded. ${retryHint(error.retryAfterSeconds)}`;
    default:
      return (error.status ?? 0) >= 500
        ? `The Managed Agents API failed (${error.status}, ${error.operation}). ${retryHint(error.retryAfterSeconds)}`
        : `The Managed Agents API answered ${error.status} (${error.operation})${said}.`;
  }
}

const HINTS_FOR_400: Readonly<Record<string, string>> = {
  'update session': 'Call session_get for the state of the session; one that has ended cannot be changed.',
  'send events':
    'Call session_get: the session may wait for approvals (session_respond) or have ended (session_start).',
  'archive session': 'Call session_get for the state of the session.',
  'delete session': 'Call session_get for the state of the session.',
};

function hintFor400(error: ApiErrorDetails): string {
  switch (error.code) {
    case 'model_not_budgetable':
      return 'Leave budget_usd out, or use an agent whose models all have a list price.';
    case 'budget_create_only':
      return 'Only a session that was started with budget_usd has a budget to change, and a removed one does not come back.';
    case 'budget_not_raised':
      return 'Choose a budget_usd above what the session has cost so far: cost_usd of session_get.';
    case 'environment_archived':
    case 'environment_not_found':
      return 'Choose another environment with environment_list.';
    case 'workflow_run_open':
      return 'Tell the agent with session_message to stop the workflow run, and try again when it has ended.';
    default:
      return HINTS_FOR_400[error.operation] ?? 'Correct the named argument and call again.';
  }
}

function retryHint(seconds: number | undefined): string {
  return seconds === undefined
    ? 'Try again in a minute.'
    : `Try again in ${seconds} second${seconds === 1 ? '' : 's'}.`;
}

/** The API's own words in one line: cut, as plain text, and without anything that looks like a key. */
function apiMessage({ apiMessage: text }: ApiErrorDetails): string {
  if (!text) return '';
  const clean = plainText(text)
    .replace(/\s+/g, ' ')
    .replace(/sk-ant-[\w-]+/g, 'sk-ant-…')
    .trim()
    .replace(/\.$/, '');
  return `: ${truncate(clean, MAX_API_MESSAGE_CHARS)}`;
}
