import { type ApiError, type ApiErrorDetails } from '../../managed-agents/api-error.js';
import { type Operation } from '../../managed-agents/operations.js';
import { plainText } from '../result/plain-text.js';
import { truncate } from '../result/truncate.js';

const MAX_API_MESSAGE_CHARS = 500;

/** What the model reads about a failed API call: one sentence on what happened, one on what to do. */
export function apiErrorMessage({ details: error, operation }: ApiError): string {
  const { words } = operation;
  switch (error.kind) {
    case 'status':
      return statusMessage(error, operation);
    case 'timeout':
      return `The Managed Agents API did not answer ${inTime(error)} (${words}).${harmless(operation)} Try again in a moment.`;
    case 'connection':
      return `The Managed Agents API could not be reached (${words}). Try again in a moment; if it persists, tell the operator.`;
    case 'uncertain':
      return `${error.overdue ? `The Managed Agents API did not answer ${inTime(error)}` : 'The answer of the Managed Agents API was lost or unreadable'} (${words}), so the call may or may not have taken effect${mayHave(operation)}. ${ifUncertain(operation)}`;
    case 'unreadable':
      return `The Managed Agents API sent an answer that could not be read (${words}). Try again in a moment; if it persists, tell the operator.`;
    case 'not_the_api':
      return `The configured address answered with something that is not the Managed Agents API (${words}; status ${error.status}, ${error.contentType ?? 'no content type'}). Tell the operator to check ANTHROPIC_BASE_URL, and whether a proxy asks for a sign-in.${ifActing(operation)}`;
    case 'redirect':
      return `The configured address answered with a redirect (${words}; status ${error.status}), which is not followed, because the credential would go along. Tell the operator to check ANTHROPIC_BASE_URL, and whether a proxy asks for a sign-in.`;
    case 'too_large':
      return `The answer of the Managed Agents API is larger than this server reads (${words}). Ask for fewer items (limit) where the tool has it; otherwise tell the operator to see ANTHROPIC_MAX_RESPONSE_MB.${ifActing(operation)}`;
    case 'credentials':
      return 'This server has no working Anthropic credential. Tell the operator to check ANTHROPIC_API_KEY or the credential chain.';
    case 'cancelled':
      return `The call was cancelled (${words}).`;
  }
}

function inTime({ overdue }: ApiErrorDetails): string {
  return overdue ? 'within the time of a tool call' : 'in time';
}

/** A change that was requested and not answered may be made; requesting it again changes nothing more. */
function harmless({ method, idempotent }: Operation): string {
  return idempotent && method !== 'get' ? ' It may have taken effect; calling it again does no harm.' : '';
}

function mayHave(operation: Operation): string {
  return operation.idempotent ? '' : `: ${operation.mayHave}`;
}

/** An unusable answer does not show whether the operation took effect. */
function ifActing(operation: Operation): string {
  return operation.idempotent
    ? ''
    : ` It may or may not have taken effect${mayHave(operation)}. ${operation.ifUncertain}`;
}

function ifUncertain(operation: Operation): string {
  return operation.idempotent ? 'Call it again.' : operation.ifUncertain;
}

function statusMessage(error: ApiErrorDetails, operation: Operation): string {
  const { words } = operation;
  switch (error.status) {
    case 401:
      return 'The Managed Agents API does not accept the credential of this server. Tell the operator to check ANTHROPIC_API_KEY, and ANTHROPIC_API_KEY_HEADER before a gateway that reads the key from x-api-key.';
    case 402:
      return 'The Anthropic organization of this server has a billing problem. Tell the operator.';
    case 403:
      return `The credential of this server may not do this (${words})${quotedMessage(error)}. Tell the operator.`;
    case 413:
      return `The request is too large for the Managed Agents API (${words}). Send less text, or attach a file by id.`;
    case 429:
      return `The rate or spend limit of the Anthropic organization is reached. ${retryHint(error.retryAfterSeconds)}`;
    case 529:
      return `The Managed Agents API is overloaded. ${retryHint(error.retryAfterSeconds)}`;
    case 400:
    case 404:
    case 409:
      return `${WHAT_HAPPENED[error.status]} (${words})${quotedMessage(error)}. ${hintFor(error, error.status, operation)}`;
    default:
      return (error.status ?? 0) >= 500
        ? `The Managed Agents API failed (${error.status}, ${words}). ${retryHint(error.retryAfterSeconds)}`
        : `The Managed Agents API answered ${error.status} (${words})${quotedMessage(error)}.`;
  }
}

const WHAT_HAPPENED = {
  400: 'The Managed Agents API refused the request',
  404: 'Not found',
  409: 'The Managed Agents API reports a conflict',
} as const;

const GENERAL_HINTS = {
  400: 'Correct the named argument and call again.',
  404: 'Check the ids with the list tools.',
  409: 'Read the current state and try again.',
} as const;

const NO_SUCH_PATH =
  'The address has no such path, so no id is wrong. Tell the operator to check ANTHROPIC_BASE_URL: without /v1 at its end, and not a gateway for models alone.';
const MISSING_BETA =
  'The API misses a beta header. Tell the operator to check MANAGED_AGENTS_BETA, and that a gateway passes anthropic-beta on.';

function hintFor(error: ApiErrorDetails, status: 400 | 404 | 409, { hints, path }: Operation): string {
  // The name of the header stands in the message, in whatever words.
  if (status === 400 && error.apiMessage?.includes('anthropic-beta')) return MISSING_BETA;
  // A list needs no id, and only this API has its own shape of errors.
  if (status === 404 && (error.type === undefined || !(hints?.[404] || path.includes('{')))) return NO_SUCH_PATH;
  return (status === 400 ? hintForCode(error.code) : undefined) ?? hints?.[status] ?? GENERAL_HINTS[status];
}

function hintForCode(code: string | undefined): string | undefined {
  switch (code) {
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
      return undefined;
  }
}

function retryHint(seconds: number | undefined): string {
  return seconds === undefined
    ? 'Try again in a minute.'
    : `Try again in ${seconds} second${seconds === 1 ? '' : 's'}.`;
}

/** The message of the API in one line: cut, as plain text, and without anything that looks like a key. */
function quotedMessage({ apiMessage: text }: ApiErrorDetails): string {
  if (!text) return '';
  const clean = plainText(text)
    .replace(/\s+/g, ' ')
    .replace(/sk-ant-[\w-]+/g, 'sk-ant-…')
    .trim()
    .replace(/\.$/, '');
  return `: ${truncate(clean, MAX_API_MESSAGE_CHARS)}`;
}
