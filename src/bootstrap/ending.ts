import { constants } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { type INestApplicationContext, Logger } from '@nestjs/common';
import { AuditSinks } from '../audit/audit-sinks.js';
import { ShutdownSettings } from '../config/shutdown.settings.js';
import { RunningCalls } from '../mcp/running-calls.js';
import { Shutdown } from '../mcp/shutdown.js';
import { goingDown } from './going-down.js';
import { onSignals } from './signals.js';

/**
 * How a server process ends: once, in stages, within its grace, with exit code 0. Not Nest's shutdown hooks, which end
 * the process with the signal, leave no time for load balancers, and wait without end.
 */
export class Ending {
  /** Closed after everything else. */
  last?: { close(): Promise<void> };

  private readonly logger = new Logger('Shutdown');
  private readonly shutdown: Shutdown;
  private readonly settings: ShutdownSettings;
  private readonly calls: RunningCalls;
  private begun = false;

  /** @param answered resolves when what calls answered has left this process; then their way back is closed */
  constructor(
    private readonly app: INestApplicationContext,
    private readonly answered: () => Promise<void>,
  ) {
    this.shutdown = app.get(Shutdown);
    this.settings = app.get(ShutdownSettings);
    this.calls = app.get(RunningCalls);
    goingDown.report = (error) => this.logger.fatal(error);
    goingDown.finish = () => this.giveUp();
  }

  /** A second signal is from someone who does not want to wait. */
  onSignals(delayFor: (signal: NodeJS.Signals) => boolean): void {
    onSignals((signal) => {
      if (this.begun) process.exit(128 + constants.signals[signal]);
      this.begin(signal, delayFor(signal) ? this.settings.delayMs : 0);
    });
  }

  /** Ends the process. What goes wrong is told, and ends it all the same. */
  begin(why: string, delayMs = 0): void {
    if (this.begun) return;
    this.begun = true;
    const fail = (error: unknown) => {
      this.logger.error(error);
      process.exit(1);
    };
    const { graceMs, graceSeconds } = this.settings;
    setTimeout(() => fail(new Error(`not ended within MCP_SHUTDOWN_GRACE_SECONDS (${graceSeconds})`)), graceMs).unref();
    this.end(why, delayMs).then(() => process.exit(0), fail);
  }

  private async end(why: string, delayMs: number): Promise<void> {
    this.shutdown.leave();
    this.logger.log(`${why}: ending${delayMs > 0 ? `; requests are answered for ${delayMs / 1000} s more` : ''}`);
    if (delayMs > 0) await pause(delayMs);
    await this.calls.finish();
    await this.answered();
    await this.app.close();
    await this.last?.close();
  }

  /** Calls under way end, so that each has its record, and the records are delivered. */
  private async giveUp(): Promise<void> {
    this.shutdown.end();
    await Promise.race([this.calls.finish(), pause(this.settings.answersMs)]);
    await this.app.get(AuditSinks, { strict: false }).onApplicationShutdown();
  }
}
