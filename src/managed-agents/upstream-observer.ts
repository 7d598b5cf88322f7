import { isNativeError } from 'node:util/types';
import { type Middleware } from '@anthropic-ai/sdk';
import { apiCallOf, type OperationId } from './operations.js';
import { currentRequest } from '../context/request.js';

/** One attempt of a request to the API, when its answer has begun or it has failed. */
export interface UpstreamAttempt {
  /** `other` is a request of the credential chain. */
  readonly operation: OperationId | 'other';
  /** HTTP status, or why there is none. */
  readonly status: string;
  /** Whether it repeats one that failed. */
  readonly retry: boolean;
  readonly durationMs: number;
}

/** Receives every attempt of a request to the API. Metrics implement it. */
export abstract class UpstreamObserver {
  abstract attempted(attempt: UpstreamAttempt): void;
}

/** Reports every attempt. Belongs behind what changes requests and answers, so that it sees what the API answered. */
export function reportTo(observer: UpstreamObserver): Middleware {
  return async (request, next, context) => {
    const startedAt = performance.now();
    const report = (status: string) =>
      observer.attempted({
        operation: apiCallOf(context)?.id ?? 'other',
        status,
        retry: Number(request.headers.get('x-stainless-retry-count') ?? 0) > 0,
        durationMs: performance.now() - startedAt,
      });
    try {
      const response = await next(request);
      report(String(response.status));
      return response;
    } catch (failure) {
      report(statusOf(failure, request.signal));
      throw failure;
    }
  };
}

function statusOf(failure: unknown, signal: AbortSignal | null | undefined): string {
  // The SDK ends an attempt that takes too long the way a caller ends one: only the caller's has a signal of its own.
  if (signal?.aborted) return currentRequest()?.ended?.aborted ? 'cancelled' : 'timeout';
  return isNativeError(failure) && failure.name === 'AbortError' ? 'timeout' : 'connection';
}
