import type { ServerResponse } from 'node:http';
import type { Failure } from '../faults.js';
import { ApiError, usualError } from './errors.js';
import type { Family } from './gate.js';
import type { Query } from './query.js';

export interface ApiRequest {
  params: Record<string, string>;
  query: Query;
  body: unknown;
}

/** Either a body, or something that goes on writing to the response. */
export type Reply = { body: unknown } | { stream: (response: ServerResponse, failure: Failure) => void };

export interface Route {
  method: 'GET' | 'POST' | 'DELETE';
  /** Segments in braces are parameters. */
  path: string;
  family: Family;
  /** Which rate limit the answer's headers tell of; some endpoints tell of none. */
  bucket?: 'create' | 'read';
  /** Query parameters it knows. */
  query?: readonly string[];
  handle: (request: ApiRequest) => Reply | object;
}

export interface Match {
  route: Route;
  params: Record<string, string>;
}

export class Router {
  private readonly routes: { route: Route; pattern: RegExp }[];

  constructor(routes: readonly Route[]) {
    this.routes = routes.map((route) => ({ route, pattern: compile(route.path) }));
  }

  match(method: string, path: string): Match {
    const candidates = this.routes.filter(({ pattern }) => pattern.test(path));
    if (candidates.length === 0) throw usualError(404);
    const found = candidates.find(({ route }) => route.method === method);
    if (!found) throw new MethodNotAllowed();
    return { route: found.route, params: { ...found.pattern.exec(path)?.groups } };
  }
}

/** Answered by a layer before the API: the only error without a request id. */
export class MethodNotAllowed extends ApiError {
  constructor() {
    super(405, 'invalid_request_error', 'Method Not Allowed');
  }
}

function compile(path: string): RegExp {
  return new RegExp(`^${path.replaceAll(/\{(\w+)\}/g, '(?<$1>[^/]+)')}$`);
}
