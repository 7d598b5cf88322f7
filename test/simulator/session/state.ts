import { formatTime, type Micros } from '../clock.js';
import type {
  Budget,
  EventDraft,
  RawDraft,
  SessionAgent,
  SessionErrorObject,
  SessionResource,
  SessionStatus,
  StopDetails,
  StopReason,
  WireEnvironment,
  WireEvent,
} from '../wire.js';
import type { RawStep } from '../scenario.js';
import { Calls } from './calls.js';
import { EventLog } from './event-log.js';
import type { Outcome } from './outcome.js';
import type { Platform } from './platform.js';
import { Stamper } from './stamper.js';
import { Status } from './status.js';
import { Tasks } from './tasks.js';
import { Thread } from './thread.js';
import { capInCents, type ModelUsage, Meter } from './usage.js';

export interface SessionConfig {
  agent: SessionAgent;
  environment: WireEnvironment;
  title: string | null;
  metadata: Record<string, string>;
  vaultIds: string[];
  resources: SessionResource[];
  budget: Budget | null;
}

/** A session's configuration, its threads, its history and what both say about its status. */
export class SessionState {
  readonly id: string;
  readonly createdAt: Micros;
  archivedAt?: Micros;
  deleted = false;
  readonly log: EventLog;
  readonly primary: Thread;
  readonly threads: Thread[];
  readonly calls = new Calls();
  readonly tasks: Tasks;
  readonly meter = new Meter();
  readonly status: Status;
  readonly outcomes: Outcome[] = [];
  readonly openWorkflows = new Set<string>();
  private readonly stamper: Stamper;

  constructor(
    readonly platform: Platform,
    readonly config: SessionConfig,
    readonly ordinal: number,
    { id, running }: { id?: string; running: boolean },
  ) {
    const { clock, ids, pollution, serialization } = platform;
    this.log = new EventLog(serialization.listOrder);
    this.id = id ?? ids.next('sesn');
    this.createdAt = clock.now();
    this.stamper = new Stamper(clock, pollution);
    this.tasks = new Tasks(clock, () => platform.wake());
    this.status = new Status(clock, running ? 'running' : 'idle');
    this.primary = new Thread(ids.next('sthr'), config.agent, this.log, this.createdAt);
    this.threads = [this.primary];
  }

  // --- what tests use -------------------------------------------------------------------------------------------

  /** Adds an event as if the session had produced it now. */
  inject(draft: EventDraft | RawDraft): WireEvent {
    return this.record(draft);
  }

  /** Adds an event exactly as it is, for recordings and for what no version of the API ever sent. */
  appendRaw(event: WireEvent): void {
    this.calls.observe(event, this.primary.id);
    this.follow(event);
    this.log.append(event);
  }

  setStatusLag(ms: number): void {
    this.status.lagMs = ms;
  }

  /** Ends held workflow runs: the one named, or all of them. */
  endWorkflow(runId?: string): void {
    for (const id of [...this.openWorkflows]) if (runId === undefined || id === runId) this.openWorkflows.delete(id);
    this.platform.wake();
  }

  /** The newest status event's stop reason, as a client would read it off the log. */
  get stopReason(): StopReason | undefined {
    const newest = this.log.findLast(({ type }) => type.startsWith('session.status_'));
    return newest?.stop_reason as StopReason | undefined;
  }

  // --- the history ----------------------------------------------------------------------------------------------

  get now(): Micros {
    return this.platform.clock.now();
  }

  record(draft: EventDraft | RawDraft, thread: Thread = this.primary, id = this.platform.ids.next('sevt')): WireEvent {
    const event: WireEvent = { id, ...draft, processed_at: formatTime(this.stamper.next(draft.type)) };
    this.calls.observe(event, thread.id);
    if (thread === this.primary) this.follow(event);
    thread.log.append(event);
    if (event.type === 'agent.message' && this.platform.pollution.unknownEvents) {
      this.record({ type: 'agent.premonition', certainty: 0.5 }, thread);
    }
    return event;
  }

  recordRaw({ events, everyMs, byMs }: RawStep, thread: Thread): void {
    for (const event of events) {
      if (everyMs !== undefined) this.stamper.skip(everyMs);
      if (byMs === undefined) this.record(event, thread);
      else this.recordLate(event, thread, byMs);
    }
  }

  /** Adds an event with a stamp that is so many milliseconds before the newest one. */
  recordLate(draft: RawDraft, thread: Thread, byMs: number): WireEvent {
    const event: WireEvent = {
      id: this.platform.ids.next('sevt'),
      ...draft,
      processed_at: formatTime(this.stamper.before(byMs)),
    };
    thread.log.append(event);
    return event;
  }

  /** Stamps queued input and moves it to its place in the history. */
  process(queued: WireEvent): WireEvent {
    const { unstampedMessages } = this.platform.pollution;
    if (unstampedMessages && queued.type === 'user.message') return this.log.settle(queued);
    const stamped = this.log.process(queued, this.stamper.next(queued.type));
    this.calls.observe(stamped, this.primary.id);
    return stamped;
  }

  private follow(event: WireEvent): void {
    const status = /^session\.status_(running|idle|rescheduled|terminated)$/.exec(event.type)?.[1];
    if (status) this.status.announce(status === 'rescheduled' ? 'rescheduling' : (status as SessionStatus));
  }

  // --- status ---------------------------------------------------------------------------------------------------

  /** What fails at the start of a turn stands between the status of the session and that of its thread. */
  threadRunning(thread: Thread, errors: readonly SessionErrorObject[] = []): void {
    const now = this.now;
    if (this.status.announced !== 'running') this.record({ type: 'session.status_running' });
    for (const error of errors) this.record({ type: 'session.error', error });
    this.meter.start(now);
    thread.meter.start(now);
    this.setThreadStatus(thread, 'running');
    this.recordLifecycle(thread, { type: 'session.thread_status_running' });
  }

  threadIdle(thread: Thread, stop: StopReason, details: StopDetails = null): void {
    thread.stop = stop;
    this.setThreadStatus(thread, 'idle');
    thread.meter.stop(this.now);
    const reported = this.pollute(stop);
    this.recordLifecycle(thread, {
      type: 'session.thread_status_idle',
      stop_reason: reported,
      stop_details: details,
    });
    this.idleWhenNothingRuns(details);
  }

  /**
   * The order in which 11 recorded sessions resumed after the answer to a child's call: the primary thread runs, takes the
   * answer, and idles again while the child works. The session is idle with it, by a stop reason that is out of date.
   */
  resumeChild(child: Thread, takeAnswer: () => WireEvent): WireEvent {
    const { primary, stopReason } = this;
    this.threadRunning(primary);
    const answer = takeAnswer();
    this.threadRunning(child);
    this.setThreadStatus(primary, 'idle');
    primary.meter.stop(this.now);
    const stop_reason = this.pollute(primary.stop);
    this.recordLifecycle(primary, { type: 'session.thread_status_idle', stop_reason, stop_details: null });
    if (this.platform.serialization.era !== '2026-05') this.recordUsage();
    this.record({ type: 'session.status_idle', stop_reason: stopReason, stop_details: null });
    return answer;
  }

  /** The session is idle when no thread works and no workflow run is open. */
  idleWhenNothingRuns(details: StopDetails = null): void {
    if (this.openWorkflows.size > 0) return;
    if (this.threads.some(({ status }) => status === 'running' || status === 'rescheduling')) return;
    this.meter.stop(this.now);
    this.status.settleUsage(this.meter);
    if (this.platform.serialization.era !== '2026-05') this.recordUsage();
    const stop_reason = this.pollute(this.overallStop());
    this.record({ type: 'session.status_idle', stop_reason, stop_details: details });
  }

  threadRescheduled(thread: Thread): void {
    this.setThreadStatus(thread, 'rescheduling');
    this.recordLifecycle(thread, { type: 'session.thread_status_rescheduled' });
    this.record({ type: 'session.status_rescheduled' });
  }

  /** Nothing works any more, whatever the reason; history stays readable. */
  terminate(): void {
    this.tasks.cancelAll();
    for (const thread of this.threads) this.setThreadStatus(thread, 'terminated');
    const now = this.now;
    this.meter.stop(now);
    this.status.settleUsage(this.meter);
    this.record({ type: 'session.status_terminated' });
  }

  endThread(thread: Thread): void {
    thread.task?.cancel();
    thread.meter.stop(this.now);
    this.setThreadStatus(thread, 'terminated');
    this.recordLifecycle(thread, { type: 'session.thread_status_terminated' });
    this.platform.wake();
  }

  private setThreadStatus(thread: Thread, status: SessionStatus): void {
    thread.status = status;
    thread.updatedAt = this.now;
  }

  /** A child's lifecycle shows on its own log and on the session's, where pending calls have their posted ids. */
  private recordLifecycle(thread: Thread, draft: RawDraft): void {
    const whose = { session_thread_id: thread.id, agent_name: thread.agentName };
    if (thread !== this.primary) this.record({ ...draft, ...whose }, thread);
    const stop = draft.stop_reason as StopReason | undefined;
    this.record({ ...draft, ...whose, ...(stop && { stop_reason: this.posted(stop) }) });
  }

  private posted(stop: StopReason): StopReason {
    if (stop.type !== 'requires_action') return stop;
    return { ...stop, event_ids: stop.event_ids.map((id) => this.calls.find(id)?.postedId ?? id) };
  }

  /** Pending actions come before a reached budget, and either before how the primary thread ended. */
  private overallStop(): StopReason {
    const stops = this.threads.filter(({ status }) => status === 'idle').map(({ stop }) => this.posted(stop));
    const event_ids = stops.flatMap((stop) => (stop.type === 'requires_action' ? stop.event_ids : []));
    if (event_ids.length > 0) return { type: 'requires_action', event_ids };
    return stops.find(({ type }) => type === 'budget_reached') ?? this.primary.stop;
  }

  private pollute(stop: StopReason): StopReason {
    const unknown = this.platform.pollution.unknownStopReason && stop.type === 'end_turn';
    return unknown ? ({ type: 'lost_interest' } as unknown as StopReason) : stop;
  }

  private recordUsage(): void {
    const usage = this.meter.report(this.now);
    const { budget } = this.config;
    this.record({ type: 'session.usage', usage, ...(budget && { budget }) });
  }

  // --- spending -------------------------------------------------------------------------------------------------

  addModelUsage(thread: Thread, usage: ModelUsage): void {
    this.meter.addModelUsage(thread.agent.model.id, usage);
    thread.meter.addModelUsage(thread.agent.model.id, usage);
  }

  get costInCents(): number {
    return this.meter.costInCents(this.now);
  }

  get pausedForBudget(): boolean {
    return this.status.actual === 'idle' && this.stopReason?.type === 'budget_reached';
  }

  get overBudget(): boolean {
    const { budget } = this.config;
    return budget !== null && this.costInCents >= capInCents(budget);
  }
}
