import { done, type Event, eventList, type PendingAction, situation, type Situation } from './answers.js';
import { type Platform } from './platform.js';
import { type Remote } from './remote.js';
import { cut, dollars, plural } from './text.js';
import { expectThat, Unexpected } from './unexpected.js';

const STEPS_BETWEEN_LOOKS = 8;
const MAX_LOOKS = 10;
const MAX_RESULT_CHARS = 68;
const WORKING = ['queued', 'running'];

/** One session, followed as a client does it: read what is new, ask how things stand, look again. */
export class Conversation {
  private since?: string;

  constructor(
    private readonly remote: Remote,
    private readonly platform: Platform,
    readonly sessionId: string,
    /** Whether the tools that ran are left out. */
    private readonly brief = false,
  ) {}

  /** Looks until the agent has ended its turn or needs someone. */
  async untilItRests(expected: 'over' | 'requires_action'): Promise<Situation> {
    for (let look = 1; look <= MAX_LOOKS; look += 1) {
      const now = await this.look(STEPS_BETWEEN_LOOKS);
      if (WORKING.includes(now.turn)) continue;
      expectThat(now.turn === expected, `the turn should be "${expected}", but is "${now.turn}"`);
      return now;
    }
    throw new Unexpected(`the agent still works after ${MAX_LOOKS} looks`);
  }

  /** What is new, and how things stand, after the agent has worked for a little while. */
  async look(steps: number): Promise<Situation> {
    this.platform.work(this.sessionId, steps);
    await this.readNews();
    return this.remote.call('session_get', { session_id: this.sessionId }, situation, tellSituation);
  }

  async respond(actions: readonly PendingAction[], result: 'allow' | 'deny', deny_message?: string): Promise<void> {
    const { stage } = this.remote;
    const commands = actions.map(({ input }) => input.command).join('  and  ');
    stage.human(result === 'allow' ? '✓ allows' : '✗ denies', commands, result === 'allow');
    const ids = actions.map(({ tool_use_id }) => tool_use_id);
    const answered = ids.length === 1 ? { tool_use_id: ids[0] } : { tool_use_ids: ids };
    const args = { session_id: this.sessionId, ...answered, result, ...(deny_message && { deny_message }) };
    await this.remote.call('session_respond', args, done, () => 'sent');
  }

  private async readNews(): Promise<void> {
    const args = { session_id: this.sessionId, ...(this.since !== undefined && { since: this.since }) };
    const { events, next_since, has_more } = await this.remote.call('session_events', args, eventList, (news) =>
      plural(news.events.length, 'new event'),
    );
    expectThat(!has_more, 'so few events should fit into one answer');
    this.since = next_since;
    for (const event of events) this.show(event);
  }

  /** What the user sent was shown when it was sent; what the status events say, `session_get` says better. */
  private show(event: Event): void {
    const { stage } = this.remote;
    switch (event.type) {
      case 'agent.message':
        return stage.detail('agent', event.text ?? '');
      case 'agent.tool_use':
        if (event.permission === 'ask') return stage.detail('asks', `${event.tool}  ${mainInput(event.input)}`);
        if (!this.brief) stage.detail('uses', `${event.tool}  ${mainInput(event.input)}`);
        return;
      case 'agent.tool_result':
        if (this.brief) return;
        return stage.detail('result', cut(event.result ?? '', MAX_RESULT_CHARS), event.is_error ? 'bad' : 'quiet');
    }
  }
}

export function tellSituation({ turn, cost_usd, budget_usd, pending_actions }: Situation): string {
  const waiting = pending_actions.length > 0 ? `, ${pending_actions.length} pending` : '';
  const of = budget_usd === null ? '' : ` of ${dollars(budget_usd)}`;
  return `turn ${turn}${waiting}, ${dollars(cost_usd)}${of}`;
}

/** The one thing of a tool's input that tells what it is about. */
function mainInput(input = ''): string {
  const fields: unknown = JSON.parse(input);
  const values = Object.values(fields as Record<string, unknown>);
  return typeof values[0] === 'string' ? values[0] : input;
}
