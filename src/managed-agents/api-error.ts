import { isNativeError } from 'node:util/types';
import {
  AnthropicError,
  APIConnectionError,
  APIConnectionTimeoutError,
  APIError,
  APIUserAbortError,
} from '@anthropic-ai/sdk';
import { isOverdue } from '../context/request.js';
import { EndlessLogError } from './log/reader.js';
import { type Operation, type OperationId, operationOf } from './operations.js';
import { retryAfterMs, UncertainOutcomeError } from './retry-rules.js';
import { UnusableAnswerError } from './unusable-answer.error.js';

/** What kind of failure it was, for code that decides what to do next. */
export type ApiErrorKind =
  | 'status'
  | 'timeout'
  | 'connection'
  | 'uncertain'
  | 'unreadable'
  | 'not_the_api'
  | 'redirect'
  | 'too_large'
  | 'credentials'
  | 'cancelled';

export interface ApiErrorDetails {
  readonly kind: ApiErrorKind;
  readonly operation: OperationId;
  readonly status?: number;
  /** Of an answer that is not one of the API. */
  readonly contentType?: string;
  /** `error.type` of the body, such as `invalid_request_error`. */
  readonly type?: string;
  /** `error.details.error_code` of the body, such as `budget_not_raised`. */
  readonly code?: string;
  /** `error.message` of the body. Written by the API, but it may quote what the caller sent. */
  readonly apiMessage?: string;
  readonly requestId?: string;
  readonly retryAfterSeconds?: number;
  /** Whether the tool call's own time was over, with all its attempts, rather than that of one attempt. */
  readonly overdue?: boolean;
  readonly cause?: unknown;
}

/** Every failure of a call to the Managed Agents API, in one shape. */
export class ApiError extends Error {
  constructor(readonly details: ApiErrorDetails) {
    const { operation, kind, status, type, apiMessage, cause } = details;
    const what = kind !== 'status' ? kind : `${status} ${type ?? ''}`.trim();
    super(`${operationOf(operation).words}: ${what}${apiMessage ? `: ${apiMessage}` : ''}`, { cause });
    this.name = 'ApiError';
  }

  get operation(): Operation {
    return operationOf(this.details.operation);
  }
}

/** A log without an end is a failure of the API like any other; every other error is passed on. To be thrown again. */
export function unreadableLog(error: unknown): unknown {
  if (!(error instanceof EndlessLogError)) return error;
  return new ApiError({ kind: 'unreadable', operation: 'sessions.events.list', cause: error });
}

/**
 * Turns what a call of the SDK threw into an {@link ApiError}. Anything that is not a failure of the call passes through:
 * it is our own bug.
 *
 * @param attempted whether a request was made
 */
export function toApiError(operation: OperationId, error: unknown, attempted: boolean): unknown {
  const overdue = isOverdue();
  if (error instanceof UncertainOutcomeError) {
    return new ApiError({ kind: 'uncertain', overdue, operation, cause: error.failure });
  }
  if (error instanceof UnusableAnswerError) {
    const { status, contentType } = error;
    const kind = error.kind === 'unreadable' ? lostAnswer(error.kind, operation) : error.kind;
    return new ApiError({ kind, operation, status, contentType, cause: error });
  }
  // Given up from outside, perhaps after it was sent.
  if (error instanceof APIUserAbortError) {
    return new ApiError({
      kind: lostAnswer(overdue ? 'timeout' : 'cancelled', operation),
      overdue,
      operation,
      cause: error,
    });
  }
  if (error instanceof APIConnectionTimeoutError) return new ApiError({ kind: 'timeout', operation, cause: error });
  if (error instanceof APIConnectionError) return new ApiError({ kind: 'connection', operation, cause: error });
  if (error instanceof APIError) return statusError(operation, error as APIError);
  // Before a request is made, the SDK's only failures are about its credential: its own class of errors from the chain
  // and from federation, and a plain error when there is no credential at all.
  if (error instanceof AnthropicError || (!attempted && isNativeError(error) && error.name === 'Error')) {
    return new ApiError({ kind: 'credentials', operation, cause: error });
  }
  return error;
}

/** An answer that was lost leaves it open whether an operation took effect, unless repeating it does no harm. */
function lostAnswer(kind: ApiErrorKind, operation: OperationId): ApiErrorKind {
  return operationOf(operation).idempotent ? kind : 'uncertain';
}

function statusError(operation: OperationId, error: APIError): ApiError {
  const body = errorBody(error.error);
  return new ApiError({
    kind: 'status',
    operation,
    status: error.status,
    type: body.type,
    code: body.details?.error_code,
    apiMessage: body.message,
    requestId: error.requestID ?? undefined,
    retryAfterSeconds: retryAfterSeconds(error.headers),
    cause: error,
  });
}

interface ErrorBody {
  readonly type?: string;
  readonly message?: string;
  readonly details?: { readonly error_code?: string };
}

/** Names of error types and codes; anything else under these fields is text, which is not to be logged or passed on. */
const NAME = /^[a-z][a-z0-9_]{0,63}$/;

/**
 * Only the error shape of the API itself is read, `{ type: "error", error: { type, message } }`: what a proxy or a
 * gateway on the way writes is not trusted.
 */
function errorBody(body: unknown): ErrorBody {
  const { type: outer, error: inner } = (body ?? {}) as { type?: unknown; error?: unknown };
  if (outer !== 'error' || typeof inner !== 'object' || inner === null) return {};
  const { type, message, details } = inner as Record<string, unknown>;
  if (!isName(type)) return {};
  const code = (details as { error_code?: unknown } | null | undefined)?.error_code;
  return {
    type,
    message: typeof message === 'string' ? message : undefined,
    details: isName(code) ? { error_code: code } : undefined,
  };
}

function isName(text: unknown): text is string {
  return typeof text === 'string' && NAME.test(text);
}

/** A longer pause, or none, is not worth naming. */
const MAX_RETRY_AFTER_SECONDS = 3600;

function retryAfterSeconds(headers: Headers | undefined): number | undefined {
  const seconds = Math.ceil((retryAfterMs(headers) ?? 0) / 1000);
  return seconds > 0 ? Math.min(seconds, MAX_RETRY_AFTER_SECONDS) : undefined;
}
