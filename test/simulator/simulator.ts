import { RealClock, type SimulatorClock } from './clock.js';
import { defaultScenario } from './default-scenario.js';
import { Faults } from './faults.js';
import { populate } from './fixtures.js';
import type { RecordedRequest } from './http/recorder.js';
import { HttpServer } from './http/server.js';
import { Ids } from './ids.js';
import {
  DEFAULT_SERIALIZATION,
  DEFAULT_STREAM,
  NO_DEVIATIONS,
  type Pollution,
  type SimulatorOptions,
} from './options.js';
import { resourceRoutes } from './resources/routes.js';
import { Scenarios } from './scenario.js';
import { Scheduler } from './scheduler.js';
import { sessionRoutes } from './session/routes.js';
import { World } from './world.js';

/** Recorded: 160 to 350 ms. */
const CALL_LEAD_MS = 200;

/** A Managed Agents API of one's own: real HTTP, scripted agents, and faults on demand. */
export class Simulator {
  readonly clock: SimulatorClock;
  readonly world: World;
  readonly scenarios = new Scenarios(defaultScenario);
  readonly faults = new Faults();
  /** May be changed at any time; it holds for what is recorded and sent from then on. */
  readonly pollution: Pollution;
  private readonly scheduler: Scheduler;
  private readonly server: HttpServer;
  private readonly host: string;
  private port = 0;

  private constructor(options: SimulatorOptions) {
    const ids = new Ids(options.seed);
    const serialization = { ...DEFAULT_SERIALIZATION, ...options.serialization };
    this.host = options.host ?? '127.0.0.1';
    this.clock = options.clock ?? new RealClock();
    this.pollution = { ...options.pollution };
    this.scheduler = new Scheduler(this.clock, options.agentPace ?? 'immediate', () => this.world.sessions.all());
    const isByHand = options.agentPace === 'manual' || !this.clock.runsByItself;
    const shared = { clock: this.clock, ids, serialization, pollution: this.pollution };
    this.world = new World({
      ...shared,
      deviations: { ...NO_DEVIATIONS, ...options.deviations },
      scenarios: this.scenarios,
      statusLagMs: options.statusLagMs ?? 0,
      callLeadMs: options.callLeadMs ?? (isByHand ? 0 : CALL_LEAD_MS),
      wake: () => this.scheduler.wake(),
    });
    if (options.fixtures) populate(this.world, this.scenarios);
    this.server = new HttpServer({
      ...shared,
      faults: this.faults,
      world: this.world,
      gate: { apiKey: options.apiKey },
      routes: [...resourceRoutes(this.world), ...sessionRoutes(this.world, { ...DEFAULT_STREAM, ...options.stream })],
      recordedRequests: options.recordedRequests ?? 1000,
    });
  }

  static async start(options: SimulatorOptions = {}): Promise<Simulator> {
    const simulator = new Simulator(options);
    simulator.port = await simulator.server.listen(options.port ?? 0, simulator.host);
    return simulator;
  }

  get url(): string {
    return `http://${this.host}:${this.port}`;
  }

  /** What clients sent, the newest last. */
  get requests(): readonly RecordedRequest[] {
    return this.server.requests;
  }

  /** Lets one agent take one step; says whether there was one to take. For `agentPace: 'manual'`. */
  step(sessionId?: string): boolean {
    return this.scheduler.step(sessionId);
  }

  /** Resolves when agents have nothing left to do; with manual pace it plays all steps there are. */
  settle(sessionId?: string): Promise<void> {
    return this.scheduler.settle(sessionId);
  }

  /** Ends every connection at once. */
  async close(): Promise<void> {
    await this.server.close();
    this.scheduler.stop();
  }
}
