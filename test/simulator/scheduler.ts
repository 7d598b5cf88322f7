import type { SimulatorClock } from './clock.js';
import type { AgentPace } from './options.js';
import type { Session } from './session/session.js';

/** No honest scenario takes this many steps at once; one that does would never come to an end. */
const ENDLESS = 100_000;

/** Decides when agents take their steps. Requests only leave work behind; it is done after their answer is sent. */
export class Scheduler {
  private planned?: () => void;
  private waiters: (() => void)[] = [];
  private failure?: { error: unknown };
  private stopped = false;

  constructor(
    private readonly clock: SimulatorClock,
    private readonly pace: AgentPace,
    private readonly sessions: () => Session[],
  ) {}

  wake(): void {
    if (this.stopped || this.planned || this.pace === 'manual') return;
    if (this.pace === 'immediate') {
      const immediate = setImmediate(() => this.run(() => this.drain()));
      this.planned = () => clearImmediate(immediate);
    } else {
      this.planned = this.clock.schedule(this.pace, () => this.run(() => this.stepAll()));
    }
  }

  /** One step of the named session, or of the first that has something to do. */
  step(sessionId?: string): boolean {
    const sessions = this.sessions().filter(({ id }) => sessionId === undefined || id === sessionId);
    return sessions.some((session) => session.step());
  }

  /** Resolves when nothing is left to do but what clients or a hand-moved clock have to start. */
  async settle(sessionId?: string): Promise<void> {
    if (this.pace === 'manual') while (this.step(sessionId)) continue;
    while (!this.stopped && this.busy(sessionId)) {
      this.wake();
      await new Promise<void>((resolve) => this.waiters.push(resolve));
    }
    this.surfaceFailure();
  }

  stop(): void {
    this.stopped = true;
    this.planned?.();
    this.notify();
    for (const session of this.sessions()) session.tasks.cancelAll();
    this.surfaceFailure();
  }

  private run(work: () => void): void {
    this.planned = undefined;
    try {
      work();
    } catch (error) {
      this.failure ??= { error };
    }
    if (this.sessions().some(({ ready }) => ready)) this.wake();
    this.notify();
  }

  /** A scenario's own error belongs to whoever settles or closes next. */
  private surfaceFailure(): void {
    const { failure } = this;
    this.failure = undefined;
    if (failure) throw failure.error;
  }

  private drain(): void {
    for (let busy = true; busy;) {
      busy = false;
      for (const session of this.sessions()) busy = exhaust(session) || busy;
    }
  }

  private stepAll(): void {
    for (const session of this.sessions()) session.step();
  }

  private busy(sessionId?: string): boolean {
    return this.sessions().some(({ id, ready, tasks }) => {
      if (sessionId !== undefined && id !== sessionId) return false;
      const waitsForClock = tasks.sleeping && this.clock.runsByItself;
      const waitsForPace = ready && (typeof this.pace !== 'number' || this.clock.runsByItself);
      return waitsForClock || waitsForPace;
    });
  }

  private notify(): void {
    for (const resolve of this.waiters.splice(0)) resolve();
  }
}

/** Lets a session do all it has to do; says whether there was anything. */
function exhaust(session: Session): boolean {
  let steps = 0;
  while (session.step()) {
    steps += 1;
    if (steps > ENDLESS) throw new Error(`the scenario of session ${session.id} does not come to an end`);
  }
  return steps > 0;
}
