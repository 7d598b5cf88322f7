import type { BetaManagedAgentsSessionThread } from '@anthropic-ai/sdk/resources/beta/sessions/threads';
import { formatTime, type Micros } from '../clock.js';
import type { SessionAgent, SessionStatus, StopReason, WireEvent } from '../wire.js';
import type { Call } from './calls.js';
import type { EventLog } from './event-log.js';
import type { Task } from './tasks.js';
import { Meter } from './usage.js';

/** One line of work of a session: the primary one, or one that it spawned. */
export class Thread {
  status: SessionStatus = 'idle';
  stop: StopReason = { type: 'end_turn' };
  archivedAt?: Micros;
  updatedAt: Micros;
  task?: Task;
  turns = 0;
  /** The span of the model request that is under way. */
  openRequest?: WireEvent;
  /** Calls of the current response that still lack a result. */
  openCalls: Call[] = [];
  /** Accepted messages that no model request has seen yet. */
  inbox: WireEvent[] = [];
  /** A child's last words, which it reports to its parent. */
  lastText = '';
  /** Whether this child has sent its report, and whether its parent has read it. */
  report: 'none' | 'sent' | 'read' = 'none';
  /** Whether it is idle only because it waits for its children. */
  joining = false;
  readonly meter = new Meter();

  constructor(
    readonly id: string,
    readonly agent: SessionAgent,
    readonly log: EventLog,
    readonly createdAt: Micros,
    readonly parent?: Thread,
  ) {
    this.updatedAt = createdAt;
  }

  get agentName(): string {
    return this.agent.name;
  }

  get busy(): boolean {
    return this.task !== undefined && !this.task.done;
  }

  describe(sessionId: string, now: Micros): BetaManagedAgentsSessionThread {
    const usage = this.meter.report(now);
    return {
      id: this.id,
      type: 'session_thread',
      session_id: sessionId,
      agent: threadAgent(this.agent),
      status: this.status,
      parent_thread_id: this.parent?.id ?? null,
      created_at: formatTime(this.createdAt),
      updated_at: formatTime(this.updatedAt),
      archived_at: this.archivedAt === undefined ? null : formatTime(this.archivedAt),
      stats: {
        active_seconds: this.meter.activeSeconds(now),
        duration_seconds: Math.round((now - this.createdAt) / 1000) / 1000,
        startup_seconds: 0,
      },
      usage: { ...usage, cache_creation: usage.cache_creation ?? undefined },
      workflow_run_id: null,
    };
  }
}

function threadAgent({ multiagent: _, ...agent }: SessionAgent) {
  return agent;
}
