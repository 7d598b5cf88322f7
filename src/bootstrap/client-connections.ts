import { type ServerResponse } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { type NestFastifyApplication } from '@nestjs/platform-fastify';
import { ShutdownSettings } from '../config/shutdown.settings.js';
import { answerShuttingDown } from '../mcp/errors/http-error.js';
import { Shutdown } from '../mcp/shutdown.js';

/** Answered until the server is closed, because load balancers depend on them. */
const PROBES = new Set(['/healthz', '/readyz']);
/** Number and length (in milliseconds) of intervals without a request after which no request is expected any more. */
const QUIET_INTERVALS = 4;
const QUIET_INTERVAL_MS = 25;

/**
 * The connections of clients during shutdown. From its start on, each answer closes its connection, so that keep-alive
 * connections move to other replicas after an answer and not in the middle of a request. Once calls are drained, new
 * requests are refused with an answer after which they can be sent again.
 */
export class ClientConnections {
  private readonly unanswered = new Set<ServerResponse>();
  private received = 0;
  private readonly shutdown: Shutdown;
  private readonly settings: ShutdownSettings;

  constructor(app: NestFastifyApplication) {
    this.shutdown = app.get(Shutdown);
    this.settings = app.get(ShutdownSettings);
    this.trackAnswers(app);
    this.refuseLateRequests(app);
    this.closeLingering(app);
  }

  /**
   * Resolves when every answer has been sent, or when the time for that is over. To be awaited before the server is
   * closed: closing drops connections whose answer was written but not yet sent, because Node counts them as idle.
   */
  async answered(): Promise<void> {
    const { callsEndMs, answersMs } = this.settings;
    const msLeft = Math.max(0, callsEndMs + answersMs - this.shutdown.elapsedMs);
    const timer = new AbortController();
    const timeout = pause(msLeft, undefined, { signal: timer.signal }).catch(() => undefined);
    await Promise.race([this.allAnswersSent(), timeout]);
    await Promise.race([this.noMoreRequests(), timeout]);
    timer.abort();
  }

  /** Requests that arrive meanwhile are refused, and their answers are awaited as well. */
  private async allAnswersSent(): Promise<void> {
    for (const response of this.unanswered) {
      if (!response.closed) await new Promise((resolve) => response.once('close', resolve));
    }
  }

  /**
   * A busy process may have requests that it has not read yet; closing would reset their connections. So it waits until
   * no request arrived during several intervals, each with a turn of the event loop that reads sockets. A client that
   * keeps sending cannot delay the shutdown for longer than the time for answers.
   */
  private async noMoreRequests(): Promise<void> {
    const until = performance.now() + this.settings.answersMs;
    for (let quiet = 0; quiet < QUIET_INTERVALS && performance.now() < until;) {
      const before = this.received;
      await pause(QUIET_INTERVAL_MS);
      await new Promise(setImmediate);
      quiet = this.received === before && this.unanswered.size === 0 ? quiet + 1 : 0;
    }
  }

  private trackAnswers(app: NestFastifyApplication): void {
    app
      .getHttpAdapter()
      .getInstance()
      .addHook('onRequest', ({ url }, { raw }, done) => {
        this.unanswered.add(raw);
        if (!PROBES.has(url)) this.received += 1;
        raw.once('close', () => this.unanswered.delete(raw));
        if (this.shutdown.leaving.aborted) raw.shouldKeepAlive = false;
        done();
      });
    this.shutdown.leaving.addEventListener('abort', () => {
      for (const response of this.unanswered) response.shouldKeepAlive = false;
    });
  }

  /** After the body was read: closing a connection with unread data would drop the answer as well. */
  private refuseLateRequests(app: NestFastifyApplication): void {
    app
      .getHttpAdapter()
      .getInstance()
      .addHook('preValidation', (request, reply, done) => {
        if (!this.shutdown.draining.aborted || PROBES.has(request.url)) return done();
        answerShuttingDown(reply);
      });
  }

  /** Node does not count a connection without any request as idle, and it would delay the shutdown for a minute. */
  private closeLingering(app: NestFastifyApplication): void {
    const fastify = app.getHttpAdapter().getInstance();
    fastify.addHook('preClose', (done) => {
      setTimeout(() => fastify.server.closeAllConnections(), this.settings.answersMs).unref();
      done();
    });
  }
}
