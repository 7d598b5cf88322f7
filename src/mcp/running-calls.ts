import { type BeforeApplicationShutdown, Injectable, Logger } from '@nestjs/common';
import { Shutdown } from './shutdown.js';

/** How long running calls may take to finish once the server is told to end, in milliseconds. */
const GRACE_MS = 10_000;

/**
 * The tool calls under way. When the server ends they may finish; after the grace their requests to the API are given
 * up, so that each call still has an answer and an audit line.
 */
@Injectable()
export class RunningCalls implements BeforeApplicationShutdown {
  private readonly logger = new Logger('Shutdown');
  private readonly running = new Set<Promise<unknown>>();

  constructor(private readonly shutdown: Shutdown) {}

  track<T>(work: Promise<T>): Promise<T> {
    this.running.add(work);
    const forget = () => this.running.delete(work);
    work.then(forget, forget);
    return work;
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.shutdown.drain();
    if (this.running.size === 0) return;
    this.logger.log(`ending: ${this.running.size} tool calls may finish`);
    const giveUp = setTimeout(() => this.shutdown.end(), GRACE_MS);
    await Promise.allSettled(this.running);
    clearTimeout(giveUp);
  }
}
