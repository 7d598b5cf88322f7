import { setMaxListeners } from 'node:events';
import { type BeforeApplicationShutdown, Global, Injectable, Logger, Module } from '@nestjs/common';
import { ShutdownSettings } from '../config/shutdown.settings.js';
import { WaitSettings } from '../config/wait.settings.js';
import { currentRequest } from '../context/request.js';
import { type ToolDefinition } from './tool.decorator.js';

/**
 * The stages of the shutdown. Each stage is a signal that stays aborted, so code can listen to it or check it at any time:
 * - `leaving`: the server reports that it is not ready, and still answers every request;
 * - `draining`: no new calls; waits answer at once, other calls may finish;
 * - `ended`: the time for running calls is over.
 */
@Injectable()
export class Shutdown {
  private readonly stages = {
    leaving: new AbortController(),
    draining: new AbortController(),
    ended: new AbortController(),
  };

  private leftAt?: number;

  constructor() {
    // There is one listener for each running call or request, which can be many.
    setMaxListeners(0, this.leaving, this.draining, this.ended);
  }

  get leaving(): AbortSignal {
    return this.stages.leaving.signal;
  }

  get draining(): AbortSignal {
    return this.stages.draining.signal;
  }

  get ended(): AbortSignal {
    return this.stages.ended.signal;
  }

  /** Since the shutdown began, in milliseconds. */
  get elapsedMs(): number {
    return this.leftAt === undefined ? 0 : performance.now() - this.leftAt;
  }

  leave(): void {
    this.leftAt ??= performance.now();
    this.stages.leaving.abort();
  }

  drain(): void {
    this.leave();
    this.stages.draining.abort();
  }

  end(): void {
    this.drain();
    this.stages.ended.abort();
  }
}

/** Global, so that every module injects the same instance. */
@Global()
@Module({ providers: [Shutdown], exports: [Shutdown] })
export class ShutdownModule {}

/**
 * The running tool calls. At shutdown they may finish; when the time for that is over, their requests to the API are
 * aborted, so that each call still gets an answer and an audit line.
 */
@Injectable()
export class RunningCalls implements BeforeApplicationShutdown {
  private readonly logger = new Logger('Shutdown');
  private readonly running = new Set<Promise<unknown>>();

  constructor(
    private readonly shutdown: Shutdown,
    private readonly settings: ShutdownSettings,
    private readonly limits: WaitSettings,
  ) {}

  /**
   * By when a call that begins now is answered, so that its client does not give up first, in milliseconds as of
   * `Date.now()`. Never later than its request.
   */
  deadlineOf(tool: ToolDefinition | undefined): number {
    const { callTimeoutSeconds, maxWaitSeconds } = this.limits;
    const seconds = tool?.waits === true ? Math.max(callTimeoutSeconds, maxWaitSeconds) : callTimeoutSeconds;
    return Math.min(Date.now() + seconds * 1000, currentRequest()?.deadline ?? Infinity);
  }

  track<T>(work: Promise<T>): Promise<T> {
    this.running.add(work);
    const forget = () => this.running.delete(work);
    work.then(forget, forget);
    return work;
  }

  /** For applications that are closed without the stages of bootstrap/graceful-shutdown.ts, as in tests. */
  beforeApplicationShutdown(): Promise<void> {
    return this.finish();
  }

  /** Accepts no new calls; resolves when the running ones have ended. */
  async finish(): Promise<void> {
    this.shutdown.drain();
    if (this.running.size === 0) return;
    this.logger.log(`draining: waiting for ${this.running.size} tool calls`);
    const msLeft = Math.max(0, this.settings.callsEndMs - this.shutdown.elapsedMs);
    const giveUp = setTimeout(() => this.shutdown.end(), msLeft);
    // A request that was already read can still start a call.
    while (this.running.size > 0) await Promise.allSettled(this.running);
    clearTimeout(giveUp);
  }
}
