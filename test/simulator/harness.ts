import Anthropic from '@anthropic-ai/sdk';
import { ManualClock, type SimulatorOptions } from './index.js';
import { Simulator } from './simulator.js';
import type { Scenario } from './scenario.js';
import type { WireEvent } from './wire.js';

/** A simulator on a hand-moved clock with one agent and one environment, and the official SDK pointed at it. */
export class Harness {
  readonly clock: ManualClock;
  readonly client: Anthropic;

  private constructor(
    readonly sim: Simulator,
    readonly agentId: string,
    readonly environmentId: string,
  ) {
    this.clock = sim.clock as ManualClock;
    this.client = new Anthropic({ apiKey: 'test-key', baseURL: sim.url, maxRetries: 0 });
  }

  static async start(options: SimulatorOptions = {}, scenario?: Scenario): Promise<Harness> {
    const sim = await Simulator.start({ clock: new ManualClock(), ...options });
    const agent = sim.world.agents.create({ name: 'worker', tools: [{ type: 'agent_toolset_20260401' }] });
    const environment = sim.world.environments.create({ name: 'sandbox' });
    if (scenario) sim.scenarios.set(agent.id, scenario);
    return new Harness(sim, agent.id, environment.id);
  }

  close(): Promise<void> {
    return this.sim.close();
  }

  get sessions() {
    return this.client.beta.sessions;
  }

  /** A new session; with a text it starts to work at once. */
  async session(text?: string, extra: { budget?: Anthropic.Beta.BetaManagedAgentsBudgetLimit } = {}): Promise<string> {
    const { id } = await this.sessions.create({
      agent: this.agentId,
      environment_id: this.environmentId,
      ...(text && { initial_events: [message(text)] }),
      ...extra,
    });
    await this.sim.settle();
    return id;
  }

  async send(sessionId: string, ...events: Anthropic.Beta.Sessions.EventSendParams['events']): Promise<WireEvent[]> {
    const { data } = await this.sessions.events.send(sessionId, { events });
    return (data ?? []) as unknown as WireEvent[];
  }

  /** Sends and lets the agents do whatever follows. */
  async sendAndSettle(...args: Parameters<Harness['send']>): Promise<WireEvent[]> {
    const accepted = await this.send(...args);
    await this.sim.settle();
    return accepted;
  }

  async events(sessionId: string): Promise<WireEvent[]> {
    const events = [];
    for await (const event of this.sessions.events.list(sessionId)) events.push(event);
    return events as unknown as WireEvent[];
  }

  async types(sessionId: string): Promise<string[]> {
    return (await this.events(sessionId)).map(({ type }) => type);
  }

  async fetch(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = { ...HEADERS, ...(init.headers as Record<string, string> | undefined) };
    return await fetch(this.sim.url + path, { ...init, headers });
  }
}

export const HEADERS = {
  'x-api-key': 'test-key',
  'anthropic-version': '2023-06-01',
  'anthropic-beta': 'managed-agents-2026-04-01',
  'content-type': 'application/json',
};

export const message = (text: string) => ({
  type: 'user.message' as const,
  content: [{ type: 'text' as const, text }],
});
export const allow = (tool_use_id: string) => ({
  type: 'user.tool_confirmation' as const,
  result: 'allow' as const,
  tool_use_id,
});
export const deny = (tool_use_id: string, deny_message?: string) => ({
  type: 'user.tool_confirmation' as const,
  result: 'deny' as const,
  tool_use_id,
  ...(deny_message && { deny_message }),
});
export const interrupt = { type: 'user.interrupt' as const };

export interface Refusal {
  status: number | undefined;
  type: string;
  message: string;
  errorCode?: string;
}

/** How a call is refused: what the API said, freed from the wrapping that the SDK gives it. */
export async function refusal(call: PromiseLike<unknown>): Promise<Refusal> {
  try {
    await call;
  } catch (error) {
    if (!(error instanceof Anthropic.APIError)) throw error;
    const { error: body } = error.error as {
      error: { type: string; message: string; details?: { error_code?: string } };
    };
    return {
      status: error.status as number,
      type: body.type,
      message: body.message,
      errorCode: body.details?.error_code,
    };
  }
  throw new Error('the call was expected to be refused');
}
