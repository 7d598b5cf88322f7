import { type BeforeApplicationShutdown, Injectable, Logger } from '@nestjs/common';
import { ShutdownSettings } from '../config/shutdown.settings.js';
import { Shutdown } from './shutdown.js';

/**
 * The tool calls under way. When the server ends they may finish; when the time for that is over their requests to the
 * API are given up, so that each call still has an answer and an audit line.
 */
@Injectable()
export class RunningCalls implements BeforeApplicationShutdown {
  private readonly logger = new Logger('Shutdown');
  private readonly running = new Set<Promise<unknown>>();

  constructor(
    private readonly shutdown: Shutdown,
    private readonly settings: ShutdownSettings,
  ) {}

  track<T>(work: Promise<T>): Promise<T> {
    this.running.add(work);
    const forget = () => this.running.delete(work);
    work.then(forget, forget);
    return work;
  }

  /** However the application is closed; where a process ends, its calls have finished before. */
  beforeApplicationShutdown(): Promise<void> {
    return this.finish();
  }

  /** From now on nothing but what is under way; resolves when that has come to its end. */
  async finish(): Promise<void> {
    this.shutdown.drain();
    if (this.running.size === 0) return;
    this.logger.log(`ending: ${this.running.size} tool calls may finish`);
    const msLeft = Math.max(0, this.settings.callsEndMs - this.shutdown.elapsedMs);
    const giveUp = setTimeout(() => this.shutdown.end(), msLeft);
    // Requests that were read already may still become calls.
    while (this.running.size > 0) await Promise.allSettled(this.running);
    clearTimeout(giveUp);
  }
}
