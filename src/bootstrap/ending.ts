import { constants } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { type INestApplicationContext, Logger } from '@nestjs/common';
import { AuditSinks } from '../audit/audit-sinks.js';
import { ShutdownSettings } from '../config/shutdown.settings.js';
import { RunningCalls } from '../mcp/running-calls.js';
import { Shutdown } from '../mcp/shutdown.js';
import { lastDuties } from './last-duties.js';

/** Those a platform or a terminal ends a process with. */
const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

interface Closable {
  close(): Promise<void>;
}

export interface EndingOptions {
  /** Resolves when what calls answered has left this process; awaited before their way back is closed. */
  readonly answered: () => Promise<void>;
  /** Closed after everything else. */
  readonly last?: Closable;
}

/**
 * How a server process ends: once, in stages, within its grace, with exit code 0. Not Nest's shutdown hooks, which end
 * the process with the signal, leave no time for load balancers, and wait without end.
 */
export class Ending {
  private readonly logger = new Logger('Shutdown');
  private readonly shutdown: Shutdown;
  private readonly settings: ShutdownSettings;
  private begun = false;

  constructor(
    private readonly app: INestApplicationContext,
    private readonly options: EndingOptions,
  ) {
    this.shutdown = app.get(Shutdown);
    this.settings = app.get(ShutdownSettings);
    const audit = app.get(AuditSinks, { strict: false });
    lastDuties.add(async () => {
      this.shutdown.end();
      await audit.onApplicationShutdown();
    });
  }

  /** A second signal is from someone who does not want to wait. */
  onSignals(delayFor: (signal: NodeJS.Signals) => boolean): void {
    for (const signal of SIGNALS) {
      process.on(signal, () => {
        if (this.begun) process.exit(128 + constants.signals[signal]);
        this.begin(signal, delayFor(signal) ? this.settings.delayMs : 0);
      });
    }
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
    await this.app.get(RunningCalls).finish();
    await this.options.answered();
    await this.app.close();
    await this.options.last?.close();
  }
}
