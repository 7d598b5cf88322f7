import { isNativeError } from 'node:util/types';
import {
  AnthropicError,
  APIConnectionError,
  APIConnectionTimeoutError,
  APIError,
  APIUserAbortError,
} from '@anthropic-ai/sdk';
import { retryAfterMs } from './retry-after.js';

/** What kind of failure it was, for those who decide what to do next. */
export type ApiErrorKind =
  'status' | 'timeout' | 'connection' | 'uncertain' | 'unreadable' | 'credentials' | 'cancelled';

export interface ApiErrorDetails {
  readonly kind: ApiErrorKind;
  /** What was attempted, in words: "send events". */
  readonly operation: string;
  readonly status?: number;
  /** `error.type` of the body, such as `invalid_request_error`. */
  readonly type?: string;
  /** `error.details.error_code` of the body, such as `budget_not_raised`. */
  readonly code?: string;
  /** `error.message` of the body. Written by the API, but it may quote what the caller sent. */
  readonly apiMessage?: string;
  readonly requestId?: string;
  readonly retryAfterSeconds?: number;
  readonly cause?: unknown;
}

/** Every failure of a call to the Managed Agents API, in one shape. */
export class ApiError extends Error {
  constructor(readonly details: ApiErrorDetails) {
    const { operation, kind, status, type, apiMessage, cause } = details;
    const what = status === undefined ? kind : `${status} ${type ?? ''}`.trim();
    super(`${operation}: ${what}${apiMessage ? `: ${apiMessage}` : ''}`, { cause });
    this.name = 'ApiError';
  }
}

/**
 * The request may have reached the API, but its answer did not reach us. The API has no idempotency keys, so the
 * caller has to look before trying again. Not derived from the SDK's errors: those would be retried.
 */
export class UncertainOutcomeError extends Error {
  constructor(readonly failure: unknown) {
    super('the answer of the API was lost after the request was sent');
    this.name = 'UncertainOutcomeError';
  }
}

/** Whether a failed attempt may be repeated without harm, or acts each time it arrives. */
export type Repeatable = 'repeatable' | 'acts-once';

/** Runs one API call and turns whatever it throws into an {@link ApiError}. */
export async function callApi<T extends object>(
  operation: string,
  call: () => PromiseLike<T>,
  repeatable: Repeatable = 'repeatable',
): Promise<T> {
  let answer: T;
  try {
    answer = await call();
  } catch (error) {
    throw toApiError(operation, error, repeatable);
  }
  // The SDK hands over the text of an answer that is not JSON.
  if (typeof answer === 'object') return answer;
  throw new ApiError({ kind: lostAnswer('unreadable', repeatable), operation });
}

/** Anything that is not a failure of the call passes through: it is our own bug. */
function toApiError(operation: string, error: unknown, repeatable: Repeatable): unknown {
  if (error instanceof UncertainOutcomeError) {
    return new ApiError({ kind: 'uncertain', operation, cause: error.failure });
  }
  // Given up from outside, perhaps after it was sent.
  if (error instanceof APIUserAbortError) {
    return new ApiError({ kind: lostAnswer('cancelled', repeatable), operation, cause: error });
  }
  if (error instanceof APIConnectionTimeoutError) return new ApiError({ kind: 'timeout', operation, cause: error });
  if (error instanceof APIConnectionError) return new ApiError({ kind: 'connection', operation, cause: error });
  if (error instanceof APIError) return statusError(operation, error as APIError);
  // By name: fetch throws errors of its own realm when the server runs inside another one.
  const name = isNativeError(error) ? error.name : '';
  if (name === 'SyntaxError') {
    return new ApiError({ kind: lostAnswer('unreadable', repeatable), operation, cause: error });
  }
  // fetch reports an answer that breaks off in its body this way.
  if (name === 'TypeError' && (error as Error).message === 'terminated') {
    return new ApiError({ kind: lostAnswer('connection', repeatable), operation, cause: error });
  }
  if (isCredentialFailure(error)) return new ApiError({ kind: 'credentials', operation, cause: error });
  return error;
}

function lostAnswer(kind: ApiErrorKind, repeatable: Repeatable): ApiErrorKind {
  return repeatable === 'acts-once' ? 'uncertain' : kind;
}

function statusError(operation: string, error: APIError): ApiError {
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
 * gateway on the way says is nobody's word.
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

function retryAfterSeconds(headers: Headers | undefined): number | undefined {
  const ms = retryAfterMs(headers);
  return ms === undefined ? undefined : Math.max(0, Math.ceil(ms / 1000));
}

/**
 * Before a request is made, the SDK's only failures are about its credential: its own class of errors from the chain
 * and from federation, and a plain error when there is none at all.
 */
function isCredentialFailure(error: unknown): boolean {
  if (error instanceof AnthropicError) return true;
  return isNativeError(error) && error.message.startsWith('Could not resolve authentication method');
}
