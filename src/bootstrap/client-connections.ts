import { type ServerResponse } from 'node:http';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
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
export class ClientConnections {
  private readonly unanswered = new Set<ServerResponse>();
  private readonly shutdown: Shutdown;
  private readonly settings: ShutdownSettings;

  constructor(app: NestFastifyApplication) {
    this.shutdown = app.get(Shutdown);
    this.settings = app.get(ShutdownSettings);
    this.watch(app);
    this.refuseLateRequests(app);
    this.cutLingering(app);
  }

  /**
   * Resolves when every answer has left, or when there is no more time for that. To be awaited before the server is
   * closed: Node then counts a connection as idle whose answer was written and not yet sent, and drops it.
   */
  async answered(): Promise<void> {
    const { callsEndMs, answersMs } = this.settings;
    const msLeft = Math.max(0, callsEndMs + answersMs - this.shutdown.elapsedMs);
    const timer = new AbortController();
    const timeUp = pause(msLeft, undefined, { signal: timer.signal }).catch(() => undefined);
    await Promise.race([this.allSent(), timeUp]);
    timer.abort();
  }

  /** Requests that arrive meanwhile are refused, and answered as well. */
  private async allSent(): Promise<void> {
    for (const response of this.unanswered) if (!response.closed) await once(response, 'close');
  }

  private watch(app: NestFastifyApplication): void {
    app
      .getHttpAdapter()
      .getInstance()
      .addHook('onRequest', (_request, { raw }, done) => {
        this.unanswered.add(raw);
        raw.once('close', () => this.unanswered.delete(raw));
        if (this.shutdown.leaving.aborted) raw.shouldKeepAlive = false;
        done();
      });
    this.shutdown.leaving.addEventListener('abort', () => {
      for (const response of this.unanswered) response.shouldKeepAlive = false;
    });
  }

  /** After the body was read: closing a connection with something unread in it takes the answer away as well. */
  private refuseLateRequests(app: NestFastifyApplication): void {
    app
      .getHttpAdapter()
      .getInstance()
      .addHook('preValidation', (request, reply, done) => {
        if (!this.shutdown.draining.aborted || PROBES.has(request.url)) return done();
        answerShuttingDown(reply);
      });
  }

  /** Node never counts a connection without any request as idle, and such a one would hold up the end for a minute. */
  private cutLingering(app: NestFastifyApplication): void {
    const fastify = app.getHttpAdapter().getInstance();
    fastify.addHook('preClose', (done) => {
      setTimeout(() => fastify.server.closeAllConnections(), this.settings.answersMs).unref();
      done();
    });
  }
}
