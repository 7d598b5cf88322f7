import { type ServerResponse } from 'node:http';
import { type NestFastifyApplication } from '@nestjs/platform-fastify';
import { ShutdownSettings } from '../config/shutdown.settings.js';
import { answerShuttingDown } from '../mcp/errors/http-error.js';
import { Shutdown } from '../mcp/shutdown.js';

/** Answered until the end: they are what tells load balancers. */
const PROBES = new Set(['/healthz', '/readyz']);

/**
 * What clients notice of the end of the server. Each answer closes its connection from the first moment on, so that
 * kept connections move to other replicas with a request answered rather than cut. Once calls are drained, new requests
 * are refused in a way that lets them be sent again.
 */
export function endConnectionsGently(app: NestFastifyApplication): void {
  const shutdown = app.get(Shutdown);
  const { answersMs, callsEndMs } = app.get(ShutdownSettings);
  const fastify = app.getHttpAdapter().getInstance();
  const unanswered = new Set<ServerResponse>();

  fastify.addHook('onRequest', (request, reply, done) => {
    const response = reply.raw;
    unanswered.add(response);
    response.once('close', () => unanswered.delete(response));
    if (shutdown.leaving.aborted) response.shouldKeepAlive = false;
    if (!shutdown.draining.aborted || PROBES.has(request.url)) return done();
    answerShuttingDown(reply);
  });
  shutdown.leaving.addEventListener('abort', () => {
    for (const response of unanswered) response.shouldKeepAlive = false;
  });

  // Node never counts a connection without any request as idle, and such a one would hold up the end for a minute.
  fastify.addHook('preClose', (done) => {
    const cut = () => fastify.server.closeAllConnections();
    setTimeout(cut, Math.max(0, callsEndMs - shutdown.elapsedMs) + answersMs).unref();
    whenEmpty(unanswered, () => setTimeout(cut, answersMs).unref());
    done();
  });
}

function whenEmpty(unanswered: ReadonlySet<ServerResponse>, then: () => void): void {
  if (unanswered.size === 0) return then();
  for (const response of unanswered) response.once('close', () => unanswered.size === 0 && then());
}
