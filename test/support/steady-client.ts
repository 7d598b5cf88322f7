import { type Client } from '@modelcontextprotocol/client';
import { FIXTURES, type Simulator } from '../simulator/index.js';

/** Of one `session_wait`, in seconds: shorter than a turn takes now and then, so that waits also run out. */
const WAIT_SECONDS = 5;

/**
 * A client that works on a session of its own without pause: it says something, waits for the answer, looks at the
 * session and reads its events from where it was. It never tries anything twice.
 */
export class SteadyClient {
  calls = 0;
  /** Rounds that went well from their beginning to their end. */
  rounds = 0;
  /** Waits that the server ended because it was about to end. */
  drained = 0;
  /** Ids of the events it was given, in that order. */
  readonly eventIds: string[] = [];
  readonly sessionId: string;
  private since?: string;

  constructor(
    private readonly client: Client,
    private readonly name: string,
    { world }: Simulator,
  ) {
    const { agents, environments } = FIXTURES;
    this.sessionId = world.sessions.create({ agent: agents.analyst, environment_id: environments.cloud }).id;
  }

  /** Throws at the first call that fails, and at the first answer that is not the one to its message. */
  async run(isOver: () => boolean): Promise<void> {
    for (let round = 1; round === 1 || !isOver(); round += 1) {
      const text = `${this.name}, round ${round}`;
      const { next_since } = await this.call('session_message', { text });
      await this.waitFor(`You said: ${text}`, next_since as string);
      await this.call('session_get');
      await this.readEvents();
      this.rounds = round;
    }
  }

  private async waitFor(expected: string, since: string): Promise<void> {
    for (let next = since; ;) {
      const answer = await this.call('session_wait', { since: next, timeout_seconds: WAIT_SECONDS });
      if (answer.reason === 'turn_over') {
        if (answer.final_message === expected) return;
        throw new Error(`${this.name} waited for "${expected}" and got ${JSON.stringify(answer)}`);
      }
      if (answer.reason === 'draining') this.drained += 1;
      else if (answer.reason !== 'timeout') throw new Error(`${this.name}: ${JSON.stringify(answer)}`);
      next = answer.next_since as string;
    }
  }

  private async readEvents(): Promise<void> {
    for (let hasMore = true; hasMore;) {
      const answer = await this.call('session_events', { since: this.since, format: 'detailed', limit: 200 });
      this.eventIds.push(...(answer.events as { id: string }[]).map(({ id }) => id));
      this.since = answer.next_since as string;
      hasMore = answer.has_more as boolean;
    }
  }

  private async call(name: string, args: object = {}): Promise<Record<string, unknown>> {
    this.calls += 1;
    const result = await this.client.callTool({ name, arguments: { session_id: this.sessionId, ...args } });
    if (result.isError) throw new Error(`${this.name}: ${name} failed: ${JSON.stringify(result.content)}`);
    return result.structuredContent as Record<string, unknown>;
  }
}
