import { type WaitReason } from '../../src/session/wait/reason.js';
import { type LogEvent } from '../../src/managed-agents/log/event.js';
import { formatTime } from '../../src/managed-agents/log/time.js';
import { NOON } from './fake-log.js';

/** Something that can happen to a session; where it is impossible, nothing happens. */
export const ACTS = [
  'message',
  'message',
  'own message',
  'own message',
  'work',
  'say',
  'say',
  'ask',
  'ask two',
  'custom tool',
  'worker',
  'answer',
  'answer',
  'child asks',
  'child answered',
  'child closed',
  'retry',
  'fail',
  'end',
  'end',
  'end strangely',
  'refuse',
  'budget',
  'raise',
  'outcome',
  'revise',
  'satisfied',
  'interrupt',
  'unknown',
  'archive',
  'delete',
  'terminate',
] as const;

export interface Act {
  readonly do: (typeof ACTS)[number];
  /** How long after the act before, in ms. */
  readonly after: number;
  /** How long what belongs to it takes, in ms. */
  readonly takes: number;
  /** Whether its events are too big to be kept. */
  readonly big: boolean;
}

/** An event as it is put into the log at a time (in ms since the beginning); processed ones replace queued ones. */
export interface Happening {
  readonly at: number;
  readonly event: LogEvent;
  /** Sent by the client whose waiting is tested. */
  readonly own?: boolean;
}

/** From when on there is this reason to return, or none. */
export interface Mark {
  readonly at: number;
  readonly reason?: WaitReason;
  /** The judgement after which the agent goes on; a question of a sub-agent comes before it. */
  readonly verdict?: string;
  /** Whether a turn ended here, but another one follows for what is queued. */
  readonly goesOn?: boolean;
  /** Whether the turn has a message; a turn without one is told a little later. */
  readonly spoke: boolean;
}

type Phase =
  'new' | 'queued' | 'going on' | 'running' | 'asking' | 'worker' | 'budget' | 'over' | 'terminated' | 'deleted';

const BIG = 'x'.repeat(150_000);

/** What happens to a session, and what is true of it: told by those who make it happen, not read from its events. */
export class SessionLife {
  readonly happenings: Happening[] = [];
  readonly marks: Mark[] = [{ at: 0, spoke: false }];
  private at = 0;
  private micros = 0;
  private phase: Phase = 'new';
  private waiting: { event: LogEvent; own: boolean }[] = [];
  private asks: string[] = [];
  private childAsks: string[] = [];
  private verdict: string | undefined;
  private spoke = false;
  private big = false;

  constructor(
    acts: readonly Act[],
    private readonly ties = false,
  ) {
    for (const act of acts) this.play(act);
  }

  get end(): number {
    return this.at;
  }

  private play({ do: act, after, takes, big }: Act): void {
    this.at += after;
    this.big = big;
    this.acts[act](takes);
  }

  private readonly acts: Record<(typeof ACTS)[number], (takes: number) => void> = {
    message: (takes) => this.message(false, takes),
    'own message': (takes) => this.message(true, takes),
    outcome: (takes) => this.outcome(takes),
    answer: (takes) => this.answer(takes),
    raise: () => this.when(['budget'], () => this.run('session.updated', { budget: null })),
    interrupt: (takes) => this.when(['running', 'asking'], () => this.interrupt(takes)),
    archive: () => this.when(['new', 'over'], () => this.gone('terminated')),
    delete: () => this.when(['new', 'over'], () => this.gone('deleted')),
    unknown: () => {
      if (this.phase !== 'deleted') this.tell('agent.mystery', { depth: 3 });
    },
    work: (takes) => this.whenRunning(() => this.work(takes)),
    say: () => this.whenRunning(() => this.say()),
    ask: () => this.whenRunning(() => this.ask(['agent.tool_use'])),
    'ask two': () => this.whenRunning(() => this.ask(['agent.tool_use', 'agent.mcp_tool_use'])),
    'custom tool': () => this.whenRunning(() => this.ask(['agent.custom_tool_use'])),
    worker: (takes) => this.whenRunning(() => this.worker(takes)),
    'child asks': () => this.whenRunning(() => this.childAsk()),
    'child answered': () => this.whenRunning(() => this.childAnswered()),
    'child closed': () => this.whenRunning(() => this.childClosed()),
    retry: (takes) => this.whenRunning(() => this.retry(takes)),
    fail: () => this.whenRunning(() => this.fail()),
    end: (takes) => this.whenRunning(() => this.idle({ type: 'end_turn' }, takes)),
    'end strangely': (takes) => this.whenRunning(() => this.idle({ type: 'moon_phase' }, takes)),
    refuse: (takes) => this.whenRunning(() => this.idle({ type: 'refusal' }, takes)),
    budget: () => this.whenRunning(() => this.reachBudget()),
    revise: () => this.whenRunning(() => this.judge('needs_revision')),
    satisfied: () => this.whenRunning(() => this.judge('satisfied')),
    terminate: () => this.whenRunning(() => this.terminate()),
  };

  private work(takes: number): void {
    this.tell('span.model_request_start');
    const id = this.tell('agent.tool_use', { name: 'bash', input: {}, evaluated_permission: 'allow' });
    this.at += takes;
    this.tell('agent.tool_result', { tool_use_id: id, content: [{ type: 'text', text: this.text('ok') }] });
    this.takeUp();
  }

  private say(): void {
    this.tell('agent.message', { content: [{ type: 'text', text: this.text('said') }] });
    this.spoke = true;
    this.mark();
  }

  private childAsk(): void {
    const fields = { name: 'rm', evaluated_permission: 'ask', session_thread_id: 'sthr_1' };
    this.childAsks.push(this.tell('agent.tool_use', fields));
    this.mark();
  }

  private childAnswered(): void {
    for (const id of this.childAsks.splice(0, 1))
      this.tell('user.tool_confirmation', { tool_use_id: id, result: 'allow', session_thread_id: 'sthr_1' });
    this.mark();
  }

  private childClosed(): void {
    this.childAsks = [];
    this.tell('session.thread_status_idle', { session_thread_id: 'sthr_1', stop_reason: { type: 'end_turn' } });
    this.mark();
  }

  private retry(takes: number): void {
    this.tell('session.error', error('model_overloaded_error', 'retrying'));
    this.tell('session.status_rescheduled');
    this.at += takes;
    this.tell('session.status_running');
    this.tell('agent.thinking');
  }

  private fail(): void {
    this.tell('session.error', error('billing_error', 'exhausted'));
    this.idle({ type: 'retries_exhausted' });
  }

  private reachBudget(): void {
    this.phase = 'budget';
    this.tell('session.usage', { usage: {} });
    this.tell('session.status_idle', { stop_reason: { type: 'budget_reached' } });
    this.mark();
  }

  private terminate(): void {
    this.tell('session.error', error('unknown_error', 'terminal'));
    this.gone('terminated');
  }

  private message(own: boolean, takes: number): void {
    if (this.phase !== 'new' && this.phase !== 'over' && this.phase !== 'running') return;
    const event = { id: this.newId(), type: 'user.message', content: [{ type: 'text', text: 'please' }] };
    this.happenings.push({ at: this.at, event: { ...event, processed_at: null }, own });
    this.waiting.push({ event, own });
    if (this.phase === 'running') return;
    this.phase = 'queued';
    this.mark();
    this.at += takes;
    this.startTurn();
  }

  private outcome(takes: number): void {
    if (this.phase !== 'new' && this.phase !== 'over') return;
    this.phase = 'queued';
    this.tell('user.define_outcome', { outcome_id: 'outc_1' });
    this.mark();
    this.at += takes;
    this.startTurn();
  }

  private startTurn(): void {
    this.spoke = false;
    this.verdict = undefined;
    this.childAsks = [];
    this.phase = 'running';
    this.tell('session.status_running');
    this.takeUp();
    this.mark();
  }

  /** Queued messages become part of the turn. */
  private takeUp(): void {
    for (const { event, own } of this.waiting.splice(0))
      this.happenings.push({ at: this.at, event: { ...event, processed_at: this.stamp() }, own });
  }

  private ask(types: readonly string[]): void {
    const fields = { name: 'deploy', input: { to: this.text('prod') }, mcp_server_name: 'ci' };
    this.asks = types.map((type) => this.tell(type, { ...fields, evaluated_permission: 'ask' }));
    this.tell('span.model_request_end', { is_error: false });
    this.phase = 'asking';
    this.requireAction();
  }

  private requireAction(): void {
    this.tell('session.status_idle', { stop_reason: { type: 'requires_action', event_ids: this.openCalls() } });
    this.mark();
  }

  private openCalls(): string[] {
    return [...this.asks, ...this.childAsks];
  }

  private answer(takes: number): void {
    if (this.phase !== 'asking') return;
    const [id = '', ...rest] = this.openCalls();
    this.childAsks = this.childAsks.filter((other) => other !== id);
    this.asks = rest.filter((other) => !this.childAsks.includes(other));
    const isCustom = this.typeOf(id) === 'agent.custom_tool_use';
    if (isCustom) this.tell('user.custom_tool_result', { custom_tool_use_id: id });
    else this.tell('user.tool_confirmation', { tool_use_id: id, result: 'deny' });
    if (rest.length > 0) return this.requireAction();
    this.phase = 'going on';
    this.mark();
    this.at += takes;
    this.run('agent.tool_result', { tool_use_id: id });
  }

  /** A call that the worker of a self-hosted environment answers. */
  private worker(takes: number): void {
    if (this.childAsks.length > 0) return;
    const id = this.tell('agent.tool_use', { name: 'bash', evaluated_permission: 'allow' });
    this.tell('session.status_idle', { stop_reason: { type: 'requires_action', event_ids: [id] } });
    this.phase = 'worker';
    this.mark();
    this.at += takes;
    this.tell('user.tool_result', { tool_use_id: id });
    this.run('agent.thinking');
  }

  private run(type: string, fields: object = {}): void {
    this.phase = 'running';
    this.tell('session.status_running');
    this.tell(type, fields);
    this.mark();
  }

  private judge(result: string): void {
    const id = this.tell('span.outcome_evaluation_end', { outcome_id: 'outc_1', result, iteration: 0 });
    this.verdict = result === 'needs_revision' ? id : undefined;
    this.mark();
  }

  private interrupt(takes: number): void {
    // The API stores interrupts without an id.
    this.happenings.push({ at: this.at, event: { id: '', type: 'user.interrupt', processed_at: null } });
    // Nothing can be answered any more.
    this.childAsks = [];
    if (this.phase === 'asking') this.phase = 'going on';
    this.mark();
    this.at += Math.min(takes, 100);
    this.happenings.push({ at: this.at, event: { id: '', type: 'user.interrupt', processed_at: this.stamp() } });
    this.takeUp();
    this.idle({ type: 'end_turn' });
  }

  private idle(stop_reason: object, takes = 0): void {
    this.asks = [];
    this.childAsks = [];
    this.verdict = undefined;
    this.phase = this.waiting.length > 0 ? 'queued' : 'over';
    this.tell('session.usage', { usage: {} });
    this.tell('session.status_idle', { stop_reason });
    this.mark(this.waiting.length > 0);
    if (this.waiting.length === 0) return;
    this.at += takes;
    this.startTurn();
  }

  private gone(phase: 'terminated' | 'deleted'): void {
    this.phase = phase;
    this.tell(phase === 'deleted' ? 'session.deleted' : 'session.status_terminated');
    this.mark();
  }

  private when(phases: readonly Phase[], work: () => void): void {
    if (phases.includes(this.phase)) work();
  }

  private whenRunning(work: () => void): void {
    this.when(['running'], work);
  }

  private tell(type: string, fields: object = {}): string {
    const id = this.newId();
    this.happenings.push({ at: this.at, event: { id, type, processed_at: this.stamp(), ...fields } });
    return id;
  }

  private typeOf(id: string): string | undefined {
    return this.happenings.find(({ event }) => event.id === id)?.event.type;
  }

  private text(text: string): string {
    return this.big ? text + BIG : text;
  }

  private newId(): string {
    return `sevt_${this.happenings.length}`;
  }

  private stamp(): string {
    this.micros += this.ties ? 0 : 1;
    return formatTime(NOON + this.at * 1000 + this.micros);
  }

  private mark(goesOn = false): void {
    this.marks.push({ at: this.at, ...this.truth(), goesOn, spoke: this.spoke });
  }

  private truth(): Pick<Mark, 'reason' | 'verdict'> {
    switch (this.phase) {
      case 'asking':
        return { reason: 'action_required' };
      case 'budget':
        return { reason: 'budget_reached' };
      case 'over':
        return { reason: 'turn_over' };
      case 'terminated':
      case 'deleted':
        return { reason: this.phase };
      case 'running':
        if (this.childAsks.length > 0) return { reason: 'action_required', verdict: this.verdict };
        return this.verdictTruth();
      case 'going on':
      case 'worker':
        return this.verdictTruth();
      default:
        return {};
    }
  }

  private verdictTruth(): Pick<Mark, 'reason' | 'verdict'> {
    return this.verdict === undefined ? {} : { reason: 'outcome_evaluated', verdict: this.verdict };
  }
}

function error(type: string, retry: string): object {
  return { error: { type, message: type, retry_status: { type: retry } } };
}
