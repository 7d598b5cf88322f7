import { type NestFastifyApplication } from '@nestjs/platform-fastify';
import { validateOriginHeader } from '@modelcontextprotocol/server';
import { ServerSettings } from '../config/server.settings.js';
import { isMcpPath } from '../mcp/http/mcp-paths.js';
import { REQUEST_ID_HEADER } from '../context/request.js';

/** How long a browser may remember the answer to a preflight request, in seconds. */
const PREFLIGHT_MAX_AGE = 600;
const METHODS = 'GET, POST, DELETE';
/** What MCP clients send (specification, transports) and what this server reads besides. */
const REQUEST_HEADERS = [
  'authorization',
  'content-type',
  'accept',
  'last-event-id',
  'mcp-protocol-version',
  'mcp-session-id',
  'mcp-method',
  'mcp-name',
  'prefer',
  'x-mcp-readonly',
  REQUEST_ID_HEADER,
  'traceparent',
  'tracestate',
].join(', ');
const EXPOSED_HEADERS = `www-authenticate, mcp-session-id, mcp-protocol-version, retry-after, ${REQUEST_ID_HEADER}`;

/** The addresses that anybody may read without a token. */
const PUBLIC_PATH = /^\/(\.well-known\/[^?]*|token|register)(?=\?|$)/;

/**
 * Lets pages of the origins in `MCP_ALLOWED_ORIGINS` call the MCP endpoint, and sign in: browsers ask for permission first
 * (preflight), and let a page read an answer, errors included, only with these headers. No other origin gets them.
 *
 * A hook and not @fastify/cors: MCP answers past Fastify, on Node's own response, and other addresses need no permission.
 */
export function allowOrigins(app: NestFastifyApplication): void {
  const { allowedOrigins } = app.get(ServerSettings);
  const isAllowed = (origin: string) => validateOriginHeader(origin, [...allowedOrigins]).ok;
  const fastify = app.getHttpAdapter().getInstance();
  fastify.addHook('onRequest', (request, reply, done) => {
    const { origin } = request.headers;
    const isPublic = PUBLIC_PATH.test(request.url);
    if (!isPublic && !isMcpPath(request.url)) return done();
    if (origin === undefined) {
      if (isPublic) reply.raw.setHeader('access-control-allow-origin', '*');
      return done();
    }
    reply.raw.setHeader('vary', 'Origin');
    if (!isAllowed(origin)) return done();
    reply.raw.setHeader('access-control-allow-origin', origin);
    reply.raw.setHeader('access-control-expose-headers', EXPOSED_HEADERS);
    if (request.method !== 'OPTIONS' || request.headers['access-control-request-method'] === undefined) return done();
    // Sent before authentication, because browsers send no token with a preflight request.
    void reply
      .status(204)
      .header('access-control-allow-methods', METHODS)
      .header('access-control-allow-headers', REQUEST_HEADERS)
      .header('access-control-max-age', String(PREFLIGHT_MAX_AGE))
      .send();
  });
}
