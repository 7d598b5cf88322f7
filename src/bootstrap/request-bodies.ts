import { type Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { MethodNotAllowedException, NotFoundException } from '@nestjs/common';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import { type NestFastifyApplication } from '@nestjs/platform-fastify';
import { noSignIn } from '../auth/discovery/no-sign-in.js';
import { HttpAuthGuard } from '../auth/http-auth.guard.js';
import { isPublic } from '../auth/public.decorator.js';
import { AuthSettings } from '../config/auth.settings.js';
import { InvalidRequestError } from '../mcp/errors/http-error.js';
import { isMcpPath } from '../mcp/http/mcp-paths.js';
import { JsonDepth, MAX_JSON_DEPTH } from '../mcp/json-depth.js';

/** Largest request body, in bytes. */
export const MAX_BODY_BYTES = 4 * 1024 * 1024;
/** Largest body of a route that needs no token, in bytes: OAuth parameters and client registrations. */
const MAX_PUBLIC_BODY_BYTES = 64 * 1024;

/** Parses bodies only for callers that are known, or of bounded size, and only to a bounded depth. */
export function guardBodies(app: NestFastifyApplication): void {
  limitPublicBodies(app);
  limitDepth(app);
  authenticateBeforeBody(app);
}

function limitPublicBodies(app: NestFastifyApplication): void {
  const fastify = app.getHttpAdapter().getInstance();
  fastify.addHook('onRoute', (route) => {
    if (isPublic(route.config)) route.bodyLimit = MAX_PUBLIC_BODY_BYTES;
  });
}

/** The parser is Fastify's default one, which also refuses keys that change prototypes. */
function limitDepth(app: NestFastifyApplication): void {
  const parse = app.getHttpAdapter().getInstance().getDefaultJsonParser('error', 'error');
  app.useBodyParser('application/json', { bodyLimit: MAX_BODY_BYTES }, (request, body: Buffer, done) => {
    if (new JsonDepth().exceededBy(body)) done(new InvalidRequestError(TOO_DEEP));
    else void parse(request as never, body as never, done);
  });
}

const TOO_DEEP = `The body is nested too deeply: at most ${MAX_JSON_DEPTH} levels`;

/**
 * Nest runs guards only after the body was parsed, and parsing is work that a caller without a token must not cause. So the
 * global guard runs here as well; what it throws is answered by the same filter. After the hooks of `onRequest`, which
 * count and trace the request.
 */
function authenticateBeforeBody(app: NestFastifyApplication): void {
  const guard = app.get(HttpAuthGuard, { strict: false });
  const settings = app.get(AuthSettings);
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('preParsing', async (request, reply, payload) => {
      try {
        const isOtherMethod = request.method !== 'POST' && isMcpPath(request.url);
        if (request.is404 && !isOtherMethod) throw noSignIn(settings, request.url) ?? new NotFoundException();
        await guard.canActivate(new ExecutionContextHost([request, reply]));
        // Here, because a body that such a request brings, or announces and does not bring, must not matter.
        if (isOtherMethod) throw new MethodNotAllowedException();
      } catch (refusal) {
        await discard(payload);
        throw refusal;
      }
      return payload;
    });
}

/**
 * Reads a body that is not needed, without keeping it. Closing a connection with unread data would drop the answer, so the
 * answer follows the body, up to the largest one that is accepted at all.
 */
async function discard(body: Readable): Promise<void> {
  const enough = new AbortController();
  let bytes = 0;
  const count = ({ length }: Uint8Array) => {
    bytes += length;
    if (bytes > MAX_BODY_BYTES) enough.abort();
  };
  body.on('data', count);
  try {
    await finished(body, { writable: false, signal: enough.signal });
  } catch {
    // Too large, or the client has gone; the answer is sent in any case.
  } finally {
    body.off('data', count);
  }
}
