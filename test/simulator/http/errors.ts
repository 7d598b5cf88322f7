export type ErrorType =
  | 'invalid_request_error'
  | 'authentication_error'
  | 'billing_error'
  | 'permission_error'
  | 'not_found_error'
  | 'conflict_error'
  | 'request_too_large'
  | 'rate_limit_error'
  | 'api_error'
  | 'timeout_error'
  | 'overloaded_error';

/** A refusal with the API's error body. Throw it anywhere below the router. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly type: string,
    message: string,
    readonly details?: Record<string, unknown>,
  ) {
    super(message);
  }

  body(requestId: string) {
    const { type, message, details } = this;
    return { type: 'error', error: { type, message, ...(details && { details }) }, request_id: requestId };
  }
}

export const invalid = (message: string, errorCode?: string) =>
  new ApiError(400, 'invalid_request_error', message, errorCode ? { error_code: errorCode } : undefined);

export const notFound = (message: string, errorCode?: string) =>
  new ApiError(404, 'not_found_error', message, errorCode ? { error_code: errorCode } : undefined);

/** Agents, environments and vaults type their conflicts as invalid requests; only memory says conflict_error. */
export const conflict = (message: string) => new ApiError(409, 'invalid_request_error', message);

const USUAL: Record<number, readonly [ErrorType, string]> = {
  400: ['invalid_request_error', 'Invalid request'],
  401: ['authentication_error', 'Authentication failed'],
  402: ['billing_error', 'Your credit balance is too low'],
  403: ['permission_error', 'Your API key does not have permission to use the specified resource.'],
  404: ['not_found_error', 'Not found'],
  409: ['invalid_request_error', 'Concurrent modification detected. Please fetch the latest version and retry.'],
  413: ['request_too_large', 'Request exceeds the maximum size'],
  429: ['rate_limit_error', 'This request would exceed your rate limit. Please try again later.'],
  500: ['api_error', 'Internal server error'],
  504: ['timeout_error', 'The request timed out'],
  529: ['overloaded_error', 'Overloaded'],
};

/** The error the API usually sends with a status. */
export function usualError(status: number): ApiError {
  const [type, message] = USUAL[status] ?? (status < 500 ? USUAL[400]! : USUAL[500]!);
  return new ApiError(status, type, message);
}
