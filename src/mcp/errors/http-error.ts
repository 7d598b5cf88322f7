import { BadRequestException, HttpException, Logger } from '@nestjs/common';
import {
  AuthenticationError,
  AuthenticationUnavailableError,
  InsufficientScopeError,
} from '../../auth/discovery/challenges.js';
import { OAuthError } from '../../auth/facade/oauth.error.js';

/** JSON-RPC codes: those of the specification, and -32000 for errors of this server. */
const PARSE_ERROR = -32700;
const INVALID_REQUEST = -32600;
const INTERNAL_ERROR = -32603;
const SERVER_ERROR = -32000;

const TOO_LARGE = 'The body is too large: at most 4 MB, and 64 KB where no token is needed';

const logger = new Logger('Http');

/** An HTTP request that cannot be accepted as it is. The message says what is wrong with it and what is accepted. */
export class InvalidRequestError extends BadRequestException {}

/** The part of Fastify's reply that is used here. */
export interface Reply {
  readonly sent: boolean;
  status(code: number): Reply;
  header(name: string, value: string): Reply;
  send(body: unknown): Reply;
}

/** Every error answer has a JSON-RPC body: an empty body makes a client fall back to an older protocol. */
export function answerHttpError(error: unknown, reply: Reply): void {
  const { status, code, message } = describe(error);
  const isExpected = error instanceof AuthenticationUnavailableError;
  if (status >= 500 && !isExpected) logger.error(error instanceof Error ? error : new Error(String(error)));
  if (reply.sent) return;
  if (error instanceof OAuthError) return void reply.status(status).send(error.getResponse());
  if (isChallenge(error)) reply.header('www-authenticate', error.challenge);
  if (isExpected) reply.header('retry-after', String(error.retryAfterSeconds));
  if (status === 405) reply.header('allow', 'POST');
  reply.status(status).send({ jsonrpc: '2.0', id: null, error: { code, message } });
}

/** Tells a client or load balancer to send the request again: it was not executed. */
export function answerShuttingDown(reply: Reply): void {
  const message =
    'The server is shutting down; the request was not executed. Send the request again: another replica answers it, or this one once it has been restarted';
  reply.header('retry-after', '1').status(503);
  reply.send({ jsonrpc: '2.0', id: null, error: { code: SERVER_ERROR, message } });
}

function describe(error: unknown): { status: number; code: number; message: string } {
  const status = error instanceof HttpException ? error.getStatus() : statusOfFastify(error);
  if (error instanceof AuthenticationUnavailableError)
    return { status: 503, code: SERVER_ERROR, message: error.message };
  if (status === undefined || status >= 500) return { status: 500, code: INTERNAL_ERROR, message: 'Internal error' };
  if (isChallenge(error)) return { status, code: SERVER_ERROR, message: error.message };
  if (error instanceof InvalidRequestError) return { status, code: INVALID_REQUEST, message: error.message };
  // Nest turns errors of the body parser into exceptions; other 400s come from Fastify itself.
  if (status === 400 && error instanceof HttpException)
    return { status, code: PARSE_ERROR, message: 'The body could not be read as JSON' };
  if (status === 404)
    return { status, code: INVALID_REQUEST, message: 'There is nothing at this address; MCP is served at /mcp' };
  if (status === 405) return { status, code: SERVER_ERROR, message: 'Method not allowed: send MCP requests by POST' };
  if (status === 413) return { status, code: INVALID_REQUEST, message: TOO_LARGE };
  if (status === 415) return { status, code: INVALID_REQUEST, message: 'Send the body as application/json' };
  return { status, code: INVALID_REQUEST, message: 'The request was refused' };
}

/** Errors whose challenge says how to get a token, or one with more scopes. */
function isChallenge(error: unknown): error is AuthenticationError | InsufficientScopeError {
  return error instanceof AuthenticationError || error instanceof InsufficientScopeError;
}

/** Errors of Fastify carry the status themselves. */
function statusOfFastify(error: unknown): number | undefined {
  const status = (error as { statusCode?: unknown } | null)?.statusCode;
  return typeof status === 'number' ? status : undefined;
}
