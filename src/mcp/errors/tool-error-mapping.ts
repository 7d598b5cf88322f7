import { isNativeError } from 'node:util/types';
import { Logger } from '@nestjs/common';
import { ApiError } from '../../managed-agents/api-error.js';
import { InvalidCursorError } from '../../managed-agents/log/cursor.js';
import { InvalidIdError } from '../../managed-agents/ids.js';
import { CallsNotAnswerableError } from '../../managed-agents/respond/calls-not-answerable.error.js';
import { QueueFullError } from '../../managed-agents/respond/keyed-mutex.js';
import { currentToolCall, type ToolCallOutcome } from '../tool-call.js';
import { apiErrorMessage } from './api-error-message.js';
import { callsNotAnswerableMessage } from './calls-not-answerable-message.js';
import { RefusalError } from './refusal.error.js';
import { ToolError } from './tool-error.js';

const logger = new Logger('ToolCall');

/** Sorts a failed call into outcome and reason for the audit, logs its cause, and returns the text for the model. */
export function explainToolError(error: unknown): string {
  if (error instanceof RefusalError) return ended('refused', error.rule, error.message);
  if (error instanceof InvalidIdError) return ended('invalid', 'id', error.message);
  if (error instanceof InvalidCursorError) return ended('invalid', 'cursor', error.message);
  if (error instanceof CallsNotAnswerableError) {
    return ended('failed', 'not_answerable', callsNotAnswerableMessage(error));
  }
  if (error instanceof QueueFullError) {
    return ended('failed', 'busy', 'Too many answers for this session arrive at once. Nothing was sent; try again.');
  }
  if (error instanceof ToolError) return ended('failed', error.reason, error.message);
  if (error instanceof ApiError) {
    logApiError(error);
    return ended('failed', error.details.type ?? error.details.kind, apiErrorMessage(error));
  }
  logger.error(error instanceof Error ? error : new Error(String(error)));
  return ended('failed', 'internal', 'Internal error of this server; the cause is in its log. Tell the operator.');
}

function ended(outcome: ToolCallOutcome, reason: string, message: string): string {
  const call = currentToolCall();
  if (call) Object.assign(call, { outcome, reason });
  return message;
}

function logApiError(error: ApiError): void {
  const { operation, kind, status, type, code, requestId, retryAfterSeconds } = error.details;
  const line = {
    message: 'API call failed',
    tool: currentToolCall()?.tool,
    operation,
    kind,
    status,
    type,
    code,
    upstream_request_id: requestId,
    retry_after: retryAfterSeconds,
    caused_by: causeOf(error),
  };
  if (status !== undefined && status < 500) logger.warn(line);
  else logger.error(line);
}

/** Transport failures carry what happened in their causes; status errors have said it all. */
function causeOf(error: ApiError): string | undefined {
  const causes: string[] = [];
  if (error.details.kind === 'status') return undefined;
  for (let cause = error.cause; isNativeError(cause) && causes.length < 4; cause = cause.cause) {
    const { code } = cause as NodeJS.ErrnoException;
    causes.push(`${cause.name}: ${cause.message}${code ? ` (${code})` : ''}`);
  }
  return causes.length > 0 ? causes.join(' < ') : undefined;
}
