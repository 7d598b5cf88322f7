import Anthropic, { type ClientOptions, type Middleware } from '@anthropic-ai/sdk';
import { Logger } from '@nestjs/common';
import { type AnthropicSettings } from '../config/anthropic.settings.js';
import { readAnswers } from './answer.js';
import { toApiError } from './api-error.js';
import { type ListAnswer, type Page, toPage } from './api-values.js';
import { type ApiCall, apiCallOf, isRequestOf, type OperationId, operationOf } from './operations.js';
import { capRetryAfter, noRetryIfUncertain } from './retry-rules.js';
import { reportTo, type UpstreamObserver } from './upstream-observer.js';
import { outboundFetch } from '../egress/outbound-fetch.js';
import { currentRequest, noteUpstreamRequestId } from '../context/request.js';

export type RequestOptions = NonNullable<Parameters<Anthropic['beta']['sessions']['create']>[1]>;
type Send<T> = (beta: Anthropic['beta'], options: RequestOptions & { apiCall: ApiCall }) => PromiseLike<T>;

/** The configured API client: everything this server asks of the API goes through {@link ApiClient.call}. */
export class ApiClient {
  constructor(private readonly sdk: Anthropic) {}

  /**
   * Makes one call. The request ends with the work it belongs to, including the pause before the next attempt.
   *
   * @param send passes `options` on to the method of the SDK; without them the request is not sent
   * @throws {ApiError} whatever goes wrong with the call, also when the answer is not one of the API
   */
  async call<T extends object>(id: OperationId, send: Send<T>, options?: RequestOptions): Promise<T> {
    return (await this.run(id, send, options)).answer;
  }

  /** Makes one call of a list. */
  async list<T>(id: OperationId, send: Send<ListAnswer<T>>, options?: RequestOptions): Promise<Page<T>> {
    const { answer, unreadable } = await this.run(id, send, options);
    return toPage(answer, unreadable);
  }

  private async run<T extends object>(id: OperationId, send: Send<T>, options: RequestOptions = {}) {
    const operation = operationOf(id);
    const apiCall: ApiCall = { id, operation, attempted: false, unreadable: 0 };
    const signal = options.signal ?? currentRequest()?.ended;
    try {
      const answer = await send(this.sdk.beta, { maxRetries: operation.maxRetries, ...options, signal, apiCall });
      return { answer, unreadable: apiCall.unreadable };
    } catch (error) {
      throw toApiError(id, error, apiCall.attempted);
    }
  }
}

const MEGABYTE = 1024 * 1024;

/**
 * Builds the client from the settings. Retries, pagination and the credential chain are the SDK's own; the middleware
 * adds header overrides, the request ids for the audit, the rules on retries, and limits and checks of answers.
 */
export function createApiClient(
  settings: AnthropicSettings,
  observer?: UpstreamObserver,
  more?: Pick<ClientOptions, 'fetch'>,
): ApiClient {
  const sdk = new Anthropic({
    // null keeps the SDK from reading the environment, undefined lets its credential chain do so.
    apiKey: settings.apiKey,
    authToken: settings.apiKey === undefined ? undefined : null,
    baseURL: settings.baseUrl,
    timeout: settings.timeoutSeconds * 1000,
    maxRetries: settings.maxRetries,
    middleware: [
      checkOperation,
      noRetryIfUncertain,
      capRetryAfter,
      overrideHeaders(settings),
      passRequestId,
      ...(observer ? [reportTo(observer)] : []),
      readAnswers({
        timeoutMs: settings.timeoutSeconds * 1000,
        maxBytes: settings.maxResponseMb * MEGABYTE,
        maxEventBytes: settings.maxEventMb * MEGABYTE,
      }),
      noteRequestIds,
    ],
    // Stated, so that no variable of the environment can put texts into spans. Ids of traces go along.
    openTelemetry: { propagation: true, traces: { enabled: true, contentMode: 'metadata_only' } },
    logger: sdkLogger(),
    logLevel: 'warn',
    fetch: outboundFetch,
    ...more,
  });
  return new ApiClient(sdk);
}

/** Stops requests without an operation, or with the wrong one, before they are sent: they would get a wrong retry rule. */
const checkOperation: Middleware = (request, next, context) => {
  // The credential chain makes requests without options.
  if (context.options === undefined) return next(request);
  const { method, path } = context.options;
  const apiCall = apiCallOf(context);
  if (!apiCall || !isRequestOf(apiCall.id, { method, path })) {
    throw new TypeError(`${method} ${path} was requested as operation ${apiCall?.id ?? 'none'}`);
  }
  apiCall.attempted = true;
  return next(request);
};

/**
 * The API has no header for ids of ours (its own come back as `request-id`) and ignores this one. Gateways before it log
 * it, and so one id finds a request from the client to there.
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

function sdkLogger(): NonNullable<ClientOptions['logger']> {
  const logger = new Logger('AnthropicSdk');
  return {
    error: (message) => logger.error(message),
    warn: (message) => logger.warn(message),
    info: (message) => logger.log(message),
    debug: (message) => logger.debug(message),
  };
}
