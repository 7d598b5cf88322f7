import { isNativeError } from 'node:util/types';
import Anthropic, { type ClientOptions } from '@anthropic-ai/sdk';
import { Logger } from '@nestjs/common';
import { type AnthropicSettings } from '../config/anthropic.settings.js';
import { currentRequest, noteUpstreamRequestId } from '../context/request.js';
import { UncertainOutcomeError } from './api-error.js';
import { operationName } from './operation-name.js';
import { readWithinAttempt } from './read-answer.js';
import { retryAfterMs } from './retry-after.js';
import { type UpstreamObserver } from './upstream-observer.js';

type Middleware = NonNullable<ClientOptions['middleware']>[number];
type RequestOptions = NonNullable<Parameters<Middleware>[2]['options']>;

/** The configured API client. Only this folder knows the SDK behind it. */
export class ApiClient extends Anthropic {
  /** When the work that a request belongs to is ended from outside, its attempt and the pause before the next one end. */
  protected override prepareOptions(options: RequestOptions): Promise<void> {
    options.signal ??= currentRequest()?.ended;
    return super.prepareOptions(options);
  }
}

/**
 * Builds the client from the settings. Retries, pagination and the credential chain are the SDK's own; the middleware
 * adds header overrides, the request ids for the audit, {@link neverRepeat}, and a time limit that includes the answer's
 * body.
 */
export function createApiClient(settings: AnthropicSettings, observer?: UpstreamObserver): ApiClient {
  return new ApiClient({
    // null keeps the SDK from reading the environment, undefined lets its credential chain do so.
    apiKey: settings.apiKey,
    authToken: settings.apiKey === undefined ? undefined : null,
    baseURL: settings.baseUrl,
    timeout: settings.timeoutSeconds * 1000,
    maxRetries: settings.maxRetries,
    middleware: [
      neverRepeat,
      waitBriefly,
      overrideHeaders(settings),
      passRequestId,
      ...observed(observer),
      readWithinAttempt(settings.timeoutSeconds * 1000),
      noteRequestIds,
    ],
    // Stated, so that no variable of the environment can have texts put into spans. Ids of traces go along.
    openTelemetry: { propagation: true, traces: { enabled: true, contentMode: 'metadata_only' } },
    logger: sdkLogger(),
    logLevel: 'warn',
  });
}

/**
 * The API has no header for ids of ours (its own come back as `request-id`) and ignores this one. Gateways that stand
 * before it log it, and so one id finds a request from the client to there.
 */
const passRequestId: Middleware = (request, next) => {
  const requestId = currentRequest()?.requestId;
  if (requestId !== undefined) request.headers.set('x-request-id', requestId);
  return next(request);
};

const noteRequestIds: Middleware = async (request, next) => {
  const response = await next(request);
  noteUpstreamRequestId(response.headers.get('request-id'));
  return response;
};

/** After what changes requests and answers, so that what is told is what the API said, to each attempt. */
function observed(observer: UpstreamObserver | undefined): Middleware[] {
  if (!observer) return [];
  const tell = (request: Parameters<Middleware>[0], startedAt: number, status: string) =>
    observer.attempted({
      operation: operationName(request.method?.toUpperCase() ?? 'GET', request.url),
      status,
      retry: Number(request.headers.get('x-stainless-retry-count') ?? 0) > 0,
      durationMs: performance.now() - startedAt,
    });
  return [
    async (request, next) => {
      const startedAt = performance.now();
      try {
        const response = await next(request);
        tell(request, startedAt, String(response.status));
        return response;
      } catch (failure) {
        tell(request, startedAt, statusOf(failure, request.signal));
        throw failure;
      }
    },
  ];
}

function statusOf(failure: unknown, signal: AbortSignal | null | undefined): string {
  // The SDK ends an attempt that takes too long the way a caller ends one: only the caller's has a signal of its own.
  if (signal?.aborted) return currentRequest()?.ended?.aborted ? 'cancelled' : 'timeout';
  return isNativeError(failure) && failure.name === 'AbortError' ? 'timeout' : 'connection';
}

function overrideHeaders(settings: AnthropicSettings): Middleware {
  return (request, next) => {
    const { headers } = request;
    if (settings.version !== undefined) headers.set('anthropic-version', settings.version);
    if (settings.beta !== undefined && headers.has('anthropic-beta')) headers.set('anthropic-beta', settings.beta);
    if (settings.apiKey !== undefined && settings.apiKeyHeader === 'x-api-key') {
      headers.delete('authorization');
      headers.set('x-api-key', settings.apiKey);
    }
    return next(request);
  };
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
 * A session creation or an event send whose answer was lost must not be repeated by the SDK: the API has no
 * idempotency, so a second attempt could start a second session or say everything twice. A clear rejection (429, 401,
 * ...) leaves the SDK's rules as they are, and so does a connection that was never made.
 */
const neverRepeat: Middleware = async (request, next) => {
  if (!actsOnce(request)) return next(request);
  let response: Response;
  try {
    response = await next(request);
  } catch (failure) {
    if (NOT_SENT.has(causeCode(failure))) throw failure;
    throw new UncertainOutcomeError(failure);
  }
  const mayHaveActed = response.status >= 500 || response.status === 408 || response.status === 409;
  return mayHaveActed ? withoutRetry(response) : response;
};

/** Longest pause the API may ask for inside a tool call, in milliseconds; a longer one is the caller's to know. */
const MAX_RETRY_AFTER_MS = 5000;

/** The SDK would sleep as long as the API says, while the client of the tool call gives up and asks again. */
const waitBriefly: Middleware = async (request, next) => {
  const response = await next(request);
  const isBrief = (retryAfterMs(response.headers) ?? 0) <= MAX_RETRY_AFTER_MS;
  return response.ok || isBrief ? response : withoutRetry(response);
};

function withoutRetry(response: Response): Response {
  const headers = new Headers(response.headers);
  headers.set('x-should-retry', 'false');
  return new Response(response.body, { status: response.status, statusText: response.statusText, headers });
}

function actsOnce(request: { method?: string; url: string }): boolean {
  return request.method?.toUpperCase() === 'POST' && /\/v1\/sessions(\/[^/?]+\/events)?(\?|$)/.test(request.url);
}

function causeCode(failure: unknown): string {
  for (let error = failure, depth = 0; isNativeError(error) && depth < 5; error = error.cause, depth++) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== undefined) return code;
  }
  return '';
}

function sdkLogger(): NonNullable<ClientOptions['logger']> {
  const logger = new Logger('AnthropicSdk');
  return {
    error: (message) => logger.error(message),
    warn: (message) => logger.warn(message),
    info: (message) => logger.log(message),
    debug: (message) => logger.debug(message),
  };
}
