import { done, type Event, type PendingAction, situation, type Situation, waited, type Waited } from './answers.js';
import { type Platform } from './platform.js';
import { type Remote } from './remote.js';
import { dollars, shortIds } from './text.js';
import { expectThat } from './unexpected.js';

/** What a wait returns for when all goes well. */
type Rest = 'turn_over' | 'action_required';

/** One session, followed as a client does it: wait, see what happened, answer, wait again. */
export class Conversation {
  constructor(
    private readonly remote: Remote,
    private readonly platform: Platform,
    readonly sessionId: string,
    private since: string,
    /** Whether the tools that ran are left out. */
    private readonly brief = false,
  ) {}

  /** One call, while the agent works: until its turn is over or it needs someone. */
  async untilItRests(expected: Rest): Promise<Waited> {
    const args = { session_id: this.sessionId, since: this.since };
    const waiting = this.remote.call('session_wait', args, waited, tellWait);
    await this.platform.workDuring(this.sessionId, waiting);
    const answer = await waiting;
    expectThat(answer.reason === expected, `the wait should end with "${expected}", but did with "${answer.reason}"`);
    this.since = answer.next_since;
    this.show(answer);
    return answer;
  }

  /** How things stand after the agent has worked for a little while. */
  look(steps: number): Promise<Situation> {
    this.platform.work(this.sessionId, steps);
    return this.remote.call('session_get', { session_id: this.sessionId }, situation, tellSituation);
  }

  async respond(actions: readonly PendingAction[], result: 'allow' | 'deny', deny_message?: string): Promise<void> {
    const commands = actions.map(({ input }) => input.command).join('  and  ');
    this.remote.stage.human(result === 'allow' ? '✓ allows' : '✗ denies', commands, result === 'allow');
    const ids = actions.map(({ tool_use_id }) => tool_use_id);
    const answered = ids.length === 1 ? { tool_use_id: ids[0] } : { tool_use_ids: ids };
    await this.send('session_respond', { ...answered, result, ...(deny_message && { deny_message }) });
  }

  /** A call that gives the session something to do, and hands over where to wait from. */
  async send(tool: string, args: Readonly<Record<string, unknown>>): Promise<void> {
    const answer = await this.remote.call(tool, { session_id: this.sessionId, ...args }, done, () => 'sent');
    // Nothing that happens between this call and the wait is missed.
    this.since = answer.next_since ?? this.since;
  }

  private show({ events, final_message, pending_actions, warnings }: Waited): void {
    const { stage } = this.remote;
    for (const { message } of warnings) stage.detail('warning', message);
    for (const event of events) this.showEvent(event);
    if (final_message !== undefined) stage.detail('agent', final_message);
    for (const { tool, input, session_thread_id } of pending_actions) {
      const who = session_thread_id === undefined ? '' : `  (sub-agent ${shortIds(session_thread_id)})`;
      stage.detail('asks', `${tool}  ${input.command}${who}`);
    }
  }

  /** What the user sent was shown when it was sent. */
  private showEvent(event: Event): void {
    const { stage } = this.remote;
    if (event.type === 'agent.message') return stage.detail('agent', event.text ?? '');
    if (event.tool !== undefined && event.tool !== 'bash' && !this.brief)
      return stage.detail('uses', `${event.tool}  ${mainInput(event.input)}`);
  }
}

function tellWait({ reason, cost_usd }: Waited): string {
  return cost_usd === undefined ? reason : `${reason}, ${dollars(cost_usd)}`;
}

export function tellSituation({ turn, cost_usd, budget_usd, pending_actions }: Situation): string {
  const waiting = pending_actions.length > 0 ? `, ${pending_actions.length} pending` : '';
  const of = budget_usd === null ? '' : ` of ${dollars(budget_usd)}`;
  return `turn ${turn}${waiting}, ${dollars(cost_usd)}${of}`;
}

/** The one thing of a tool's input that tells what it is about. */
function mainInput(input: Event['input'] = ''): string {
  // A long one comes as text.
  if (typeof input === 'string') return input;
  const [first] = Object.values(input);
  return typeof first === 'string' ? first : JSON.stringify(input);
}
