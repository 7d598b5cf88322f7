import { type CallOutcome, say, type Scenario, type Session, type Step, think, tool } from '../../simulator/index.js';
import { delay } from './counted-log.js';
import { type Random } from './random.js';

/** Length of a turn, of one tool call in it, and of the gap until the next message, in milliseconds. */
const TURN_MS = [30_000, 120_000] as const;
const CALL_MS = [2000, 15_000] as const;
const GAP_MS = [10_000, 60_000] as const;
/** How many of the gaps those who wait do not sit through. */
const AWAY = 0.5;

/** An agent that calls tools for as long as a turn takes, and then says what came of it. */
export function workingAgent(random: Random): Scenario {
  return function* (): Generator<Step, void, CallOutcome[]> {
    let leftMs = random.between(...TURN_MS);
    while (leftMs > 0) {
      const durationMs = Math.min(leftMs, random.between(...CALL_MS));
      yield think();
      yield tool({ name: 'bash', input: { command: 'npm test' }, result: 'ok', durationMs });
      leftMs -= durationMs;
    }
    yield say('Done.');
  };
}

/** Asks a session for one turn after the other, and tells whether somebody watches it meanwhile. */
export class SessionLife {
  turns = 0;
  private watched = false;
  private comeBack: () => void = () => undefined;
  private nextVisit = this.planVisit();

  constructor(
    readonly session: Session,
    private readonly random: Random,
  ) {}

  get isWatched(): boolean {
    return this.watched;
  }

  /** Resolves when those who went away come back, which they do for the next turn. */
  visit(): Promise<void> {
    return this.nextVisit;
  }

  async run(): Promise<void> {
    await delay(this.random.between(0, GAP_MS[1]));
    for (;;) {
      this.watched = true;
      this.comeBack();
      await this.turn();
      if (this.random.chance(AWAY)) {
        this.watched = false;
        this.nextVisit = this.planVisit();
      }
      await delay(this.random.between(...GAP_MS));
    }
  }

  private turn(): Promise<void> {
    this.turns += 1;
    const { inbox, log } = this.session;
    return new Promise((resolve) => {
      const unsubscribe = log.subscribe(({ type }) => {
        if (type !== 'session.status_idle') return;
        unsubscribe();
        resolve();
      });
      inbox.accept([{ type: 'user.message', content: [{ type: 'text', text: 'Go on' }] }]);
    });
  }

  private planVisit(): Promise<void> {
    return new Promise((resolve) => (this.comeBack = resolve));
  }
}
