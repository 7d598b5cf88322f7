import { type ServerResponse } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { type NestFastifyApplication } from '@nestjs/platform-fastify';
import { ShutdownSettings } from '../config/shutdown.settings.js';
import { answerShuttingDown } from '../mcp/errors/http-error.js';
import { Shutdown } from '../mcp/shutdown.js';

/** Answered until the end: they are what tells load balancers. */
const PROBES = new Set(['/healthz', '/readyz']);
/** How many turns without a request, of so many milliseconds, it takes for nothing to be on the way any more. */
const QUIET_TURNS = 4;
const QUIET_TURN_MS = 25;

/**
 * What clients notice of the end of the server. Each answer closes its connection from the first moment on, so that
 * kept connections move to other replicas with a request answered rather than cut. Once calls are drained, new requests
 * are refused in a way that lets them be sent again.
 */
export class ClientConnections {
  private readonly unanswered = new Set<ServerResponse>();
  private arrived = 0;
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
    await Promise.race([this.quiet(), timeUp]);
    timer.abort();
  }

  /** Requests that arrive meanwhile are refused, and answered as well. */
  private async allSent(): Promise<void> {
    for (const response of this.unanswered) {
      if (!response.closed) await new Promise((resolve) => response.once('close', resolve));
    }
  }

  /**
   * A busy process has requests before it that it has not read yet; closing would reset their connections. So nothing
   * may have arrived for a few turns of the event loop, each of which has looked for something. Someone who goes on
   * sending does not hold up the end for longer than answers may take.
   */
  private async quiet(): Promise<void> {
    const until = performance.now() + this.settings.answersMs;
    for (let turns = 0; turns < QUIET_TURNS && performance.now() < until;) {
      const before = this.arrived;
      await pause(QUIET_TURN_MS);
      await new Promise(setImmediate);
      turns = this.arrived === before && this.unanswered.size === 0 ? turns + 1 : 0;
    }
  }

  private watch(app: NestFastifyApplication): void {
    app
      .getHttpAdapter()
      .getInstance()
      .addHook('onRequest', ({ url }, { raw }, done) => {
        this.unanswered.add(raw);
        if (!PROBES.has(url)) this.arrived += 1;
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
