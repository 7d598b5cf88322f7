import { setTimeout } from 'node:timers/promises';
import { ManualClock, Simulator } from '../simulator/index.js';
import { castAuditor, castReleaser } from './scenario.js';

const STEP_MS = 400;
/** The agent's calls are listed before the idle that names them, as they are at the real API. */
const CALL_LEAD_MS = 200;
/** More than any turn of the story takes. */
const MAX_STEPS = 60;
/** Real time between two steps, so that the client really waits while the agent works. */
const PAUSE_MS = 5;

/**
 * The simulated Managed Agents API, in this process. Agents take their steps when the story says so, on a clock that
 * moves with them: every run tells the same story, and none waits.
 */
export class Platform {
  private constructor(
    private readonly simulator: Simulator,
    private readonly clock: ManualClock,
  ) {}

  static async start(): Promise<Platform> {
    const clock = new ManualClock();
    const simulator = await Simulator.start({ clock, agentPace: 'manual', fixtures: true, callLeadMs: CALL_LEAD_MS });
    castReleaser(simulator);
    castAuditor(simulator);
    return new Platform(simulator, clock);
  }

  get url(): string {
    return this.simulator.url;
  }

  /** Lets the agent of a session work for a little while. */
  work(sessionId: string, steps: number): void {
    for (let step = 0; step < steps; step += 1) {
      this.clock.advance(STEP_MS);
      this.simulator.step(sessionId);
    }
  }

  /** Lets it work while a client waits for it. */
  async workDuring(sessionId: string, call: Promise<unknown>): Promise<void> {
    let isWaiting = true;
    const answered = () => (isWaiting = false);
    call.then(answered, answered);
    for (let step = 0; isWaiting && step < MAX_STEPS; step += 1) {
      this.work(sessionId, 1);
      await setTimeout(PAUSE_MS);
    }
  }

  environmentId(name: string): string | undefined {
    return this.simulator.world.environments.all().find((environment) => environment.name === name)?.id;
  }

  close(): Promise<void> {
    return this.simulator.close();
  }
}
