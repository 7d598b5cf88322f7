import { constants } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { type INestApplicationContext, Logger } from '@nestjs/common';
import { within } from '../common/time-out.js';
import { AuditSinks } from '../audit/audit-sinks.js';
import { ShutdownSettings } from '../config/shutdown.settings.js';
import { RunningCalls, Shutdown } from '../mcp/shutdown.js';
import { crashHandlers, onSignals, withoutStack } from './process-handlers.js';

/** Calls that are still accepted after the shutdown began. */
interface Delay {
  /** Resolves when no more calls are accepted. */
  readonly servingUntil?: Promise<unknown>;
  /** How long that takes, in milliseconds, where it is known. */
  readonly delayMs?: number;
}

/**
 * Shuts a server process down once, in stages, within its grace, with exit code 0. Nest's shutdown hooks are not used:
 * they end the process with the signal, leave no time for load balancers, and wait without a limit.
 */
export class GracefulShutdown {
  /** Closed after everything else. */
  last?: { close(): Promise<void> };

  private readonly logger = new Logger('Shutdown');
  private readonly shutdown: Shutdown;
  private readonly settings: ShutdownSettings;
  private readonly calls: RunningCalls;
  private started = false;

  /** @param answered resolves when the answers of calls have left this process; their connections are closed after it */
  constructor(
    private readonly app: INestApplicationContext,
    private readonly answered: () => Promise<void>,
  ) {
    this.shutdown = app.get(Shutdown);
    this.settings = app.get(ShutdownSettings);
    this.calls = app.get(RunningCalls);
    crashHandlers.report = (error) => this.logger.fatal(withoutStack(error));
    crashHandlers.finish = () => this.abortCalls();
  }

  /** A second signal exits at once. */
  onSignals(delayFor: (signal: NodeJS.Signals) => boolean): void {
    onSignals((signal) => {
      if (this.started) process.exit(128 + constants.signals[signal]);
      const { delayMs } = this.settings;
      this.start(signal, delayFor(signal) && delayMs > 0 ? { servingUntil: pause(delayMs), delayMs } : {});
    });
  }

  /** Ends the process. An error is logged, and the process then exits with code 1. */
  start(cause: string, delay: Delay = {}): void {
    if (this.started) return;
    this.started = true;
    const fail = (error: unknown) => {
      this.logger.error(error);
      process.exit(1);
    };
    const { graceMs, graceSeconds } = this.settings;
    const late = new Error(`shutdown did not finish within MCP_SHUTDOWN_GRACE_SECONDS (${graceSeconds})`);
    setTimeout(() => fail(late), graceMs).unref();
    this.run(cause, delay).then(() => process.exit(0), fail);
  }

  private async run(cause: string, { servingUntil, delayMs }: Delay): Promise<void> {
    const { callsEndMs, answersMs } = this.settings;
    this.shutdown.leave();
    const delay = delayMs === undefined ? '' : `; requests are still answered for ${delayMs / 1000} s`;
    this.logger.log(`${cause}: shutting down${delay}`);
    if (servingUntil) await this.before(callsEndMs, servingUntil);
    await this.calls.finish();
    await this.before(callsEndMs + answersMs, this.answered());
    await this.app.close();
    await this.last?.close();
  }

  /** Waits for `work`, until this many milliseconds after the shutdown began. */
  private async before(ms: number, work: Promise<unknown>): Promise<void> {
    await within(Math.max(0, ms - this.shutdown.elapsedMs), work);
  }

  /** Running calls are aborted, so that each has its audit record, and the records are delivered. */
  private async abortCalls(): Promise<void> {
    this.shutdown.end();
    await within(this.settings.answersMs, this.calls.finish());
    await this.app.get(AuditSinks, { strict: false }).onApplicationShutdown();
  }
}
