import { isNativeError } from 'node:util/types';
import { type Middleware } from '@anthropic-ai/sdk';
import { apiCallOf } from './operations.js';
import { UnusableAnswerError } from './unusable-answer.error.js';

/**
 * The request may have reached the API, but its answer did not reach us, and the operation acts each time it arrives.
 * Neither derived from the SDK's retryable errors nor caused by one (`failure` is not `cause`), and its message has no
 * word on time running out: the SDK retries all of these.
 */
export class UncertainOutcomeError extends Error {
  constructor(readonly failure: unknown) {
    super('the answer of the API was lost after the request was sent');
    this.name = 'UncertainOutcomeError';
  }
}

/** Connection failures in which no byte of the request can have reached the API. */
const NOT_SENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'UND_ERR_CONNECT_TIMEOUT',
  'ENETUNREACH',
  'EHOSTUNREACH',
]);

/**
 * A request that is not idempotent and whose answer was lost is not sent again: it could create a second session or
 * deliver a message twice. A clear rejection (429, 401, ...) leaves the SDK's rules as they are, and so does a connection
 * that was never made.
 */
export const noRetryIfUncertain: Middleware = async (request, next, context) => {
  if (apiCallOf(context)?.operation.idempotent !== false) return next(request);
  let response: Response;
  try {
    response = await next(request);
  } catch (failure) {
    // An unusable answer is not retried either, and says more.
    if (failure instanceof UnusableAnswerError || NOT_SENT.has(causeCode(failure))) throw failure;
    throw new UncertainOutcomeError(failure);
  }
  const mayHaveActed = response.status >= 500 || response.status === 408 || response.status === 409;
  return mayHaveActed ? withoutRetry(response) : response;
};

/** Longest pause the API may ask for inside a tool call, in milliseconds; the caller decides about a longer one. */
const MAX_RETRY_AFTER_MS = 5000;

/** The SDK would sleep as long as the API asks, while the client of the tool call gives up and asks again. */
export const capRetryAfter: Middleware = async (request, next) => {
  const response = await next(request);
  const isBrief = (retryAfterMs(response.headers) ?? 0) <= MAX_RETRY_AFTER_MS;
  return response.ok || isBrief ? response : withoutRetry(response);
};

/** How long the API asks to wait, in milliseconds, read the way the SDK does; undefined without a readable value. */
export function retryAfterMs(headers: Headers | undefined): number | undefined {
  const ms = parseFloat(headers?.get('retry-after-ms') ?? '');
  const asked = ms || fromRetryAfter(headers?.get('retry-after') ?? '');
  return Number.isFinite(asked) ? asked : undefined;
}

/** Seconds or a date. */
function fromRetryAfter(text: string): number {
  const seconds = parseFloat(text);
  return Number.isNaN(seconds) ? Date.parse(text) - Date.now() : seconds * 1000;
}

function withoutRetry(response: Response): Response {
  const headers = new Headers(response.headers);
  headers.set('x-should-retry', 'false');
  return new Response(response.body, { status: response.status, statusText: response.statusText, headers });
}

function causeCode(failure: unknown): string {
  for (let error = failure, depth = 0; isNativeError(error) && depth < 5; error = error.cause, depth++) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== undefined) return code;
  }
  return '';
}
