import { isNativeError } from 'node:util/types';
import { Logger } from '@nestjs/common';
import { currentToolCall, endCall } from '../../context/call.js';
import { ExpectedError } from '../../context/expected-error.js';
import { ApiError } from '../../managed-agents/api-error.js';
import { type PendingAction } from '../../managed-agents/log/pending.js';
import {
  CallsNotAnswerableError,
  type RefusedAnswer,
} from '../../managed-agents/respond/calls-not-answerable.error.js';
import { apiErrorMessage } from './api-error-message.js';

const logger = new Logger('ToolCall');

/** The MCP result of a call that failed or was refused. Ends the call for the audit, and logs causes for the operator. */
export function errorResult(error: unknown): object {
  return { content: [{ type: 'text', text: explainError(error) }], isError: true };
}

function explainError(error: unknown): string {
  if (error instanceof ExpectedError) {
    endCall(error.outcome, error.reason);
    return error instanceof CallsNotAnswerableError ? callsNotAnswerableMessage(error) : error.message;
  }
  if (error instanceof ApiError) {
    endCall('failed', error.details.type ?? error.details.kind);
    logApiError(error);
    return apiErrorMessage(error);
  }
  endCall('failed', 'internal');
  logger.error(error instanceof Error ? error : new Error(String(error)));
  return 'Internal error of this server; the cause is in its log. Tell the operator.';
}

function logApiError(error: ApiError): void {
  const { kind, status, contentType, type, code, requestId, retryAfterSeconds } = error.details;
  const line = {
    message: 'API call failed',
    tool: currentToolCall()?.tool,
    operation: error.operation.words,
    kind,
    status,
    content_type: contentType,
    type,
    code,
    upstream_request_id: requestId,
    retry_after: retryAfterSeconds,
    caused_by: causeOf(error),
  };
  if (kind === 'status' && status !== undefined && status < 500) logger.warn(line);
  else logger.error(line);
}

/** Transport failures have their reason in the chain of causes; status errors carry it themselves. */
function causeOf(error: ApiError): string | undefined {
  const causes: string[] = [];
  if (error.details.kind === 'status') return undefined;
  for (let cause = error.cause; isNativeError(cause) && causes.length < 4; cause = cause.cause) {
    const { code } = cause as NodeJS.ErrnoException;
    causes.push(`${cause.name}: ${cause.message}${code ? ` (${code})` : ''}`);
  }
  return causes.length > 0 ? causes.join(' < ') : undefined;
}

const MAX_LISTED = 10;

/** For the model, when calls cannot be answered as asked: the state of each, and which calls are pending. */
function callsNotAnswerableMessage({ refused, waiting }: CallsNotAnswerableError): string {
  return [
    'Nothing was sent.',
    `${listed(refused, explain, '; ')}.`,
    waiting.length === 0
      ? 'No call of this session is pending now. Call session_get for the state of the session.'
      : `Pending now: ${listed(waiting, describe, ', ')}.`,
  ].join(' ');
}

function listed<T>(items: readonly T[], text: (item: T) => string, separator: string): string {
  const more = items.length - MAX_LISTED;
  return [...items.slice(0, MAX_LISTED).map(text), ...(more > 0 ? [`and ${more} more`] : [])].join(separator);
}

function explain({ toolUseId, state }: RefusedAnswer): string {
  switch (state.type) {
    case 'waits':
      return `${toolUseId} ${WAITS_FOR[state.for]}`;
    case 'answered':
      return `${toolUseId} was already answered with ${state.with}, which stays`;
    case 'never_asked':
      return `${toolUseId} was decided by the agent's own permission policy (${state.permission})`;
    case 'ended':
      return `${toolUseId} does not wait any more: it was stopped or its turn has ended`;
    case 'unseen':
      return `${toolUseId} is pending, but its event was not found in the log, so nobody can see what it would do: only result deny is accepted`;
    case 'unknown':
      return `${toolUseId} is no tool call of this session; it may belong to another one`;
  }
}

const WAITS_FOR: Readonly<Record<Exclude<PendingAction['kind'], 'unknown'>, string>> = {
  tool_confirmation: 'waits for result allow or deny',
  custom_tool_result: 'waits for the result of a custom tool: answer it with custom_result',
  tool_result: 'waits for the worker of its self-hosted environment, not for a decision',
};

/** Ids and kinds only: names of tools come from agents. */
function describe({ toolUseId, kind }: PendingAction): string {
  return `${toolUseId} (${kind})`;
}
