import { ManualClock, Simulator } from '../simulator/index.js';
import { castReleaser } from './scenario.js';

const STEP_MS = 400;

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
    const simulator = await Simulator.start({ clock, agentPace: 'manual', fixtures: true });
    castReleaser(simulator);
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

  environmentId(name: string): string | undefined {
    return this.simulator.world.environments.all().find((environment) => environment.name === name)?.id;
  }

  close(): Promise<void> {
    return this.simulator.close();
  }
}
