import { Inject, Injectable } from '@nestjs/common';
import { LimitsSettings } from '../../config/limits.settings.js';
import { requireToolCall, type ToolCall } from '../../context/call.js';
import { ApiError } from '../../managed-agents/api-error.js';
import { EventLogService } from '../../managed-agents/event-log.service.js';
import { type Session, SessionsService } from '../../managed-agents/sessions.service.js';
import { type PolicyRequest, type Refusal, type StatefulPolicy } from '../policy.js';
import { principalKey } from './principal-key.js';
import {
  endedStart,
  newStart,
  sessionEntry,
  sorted,
  type Started,
  STARTED_SESSIONS,
  startedNothing,
  type StartedSessions,
} from './started-sessions.js';
import { StoreHealth } from './store-health.js';

/** Most pages of the API's list of running sessions that one start reads. */
const MAX_PAGES = 5;
const PAGE_SIZE = 100;
/** Most event logs that one start reads, of sessions that were started just now. */
const MAX_LOGS = 5;
/** Within this time of a start the API creates its session, in milliseconds; clocks may differ a little. */
const CREATION_MS = { before: 5000, after: 120_000 };
/** Most running sessions that a refusal names. */
const MAX_NAMED = 5;
/** When to try again, in seconds, for a caller that does not wait for one of its sessions. */
const TRY_AGAIN_SECONDS = 60;

/**
 * Limits how many sessions a caller has running when it starts another one. The server remembers the sessions a caller
 * started through it. The API is asked which of them are running only when their number reaches the limit. Its list and
 * status lag, so a session that was started just now counts as running until its event log shows otherwise.
 */
@Injectable()
export class RunningSessionsPolicy implements StatefulPolicy {
  constructor(
    private readonly settings: LimitsSettings,
    @Inject(STARTED_SESSIONS) private readonly started: StartedSessions,
    private readonly store: StoreHealth,
    private readonly sessions: SessionsService,
    private readonly log: EventLogService,
  ) {}

  async refusal({ tool, principal }: PolicyRequest): Promise<Refusal | undefined> {
    const max = this.settings.maxRunningSessions;
    if (max === undefined || tool.tier !== 'start') return undefined;
    const key = principalKey(principal);
    const start = newStart();
    requireToolCall().onEnd.push((call) => this.settle(call, key, start));
    // Listed before it is judged, so that of two simultaneous starts only the first can take the last place.
    const queried = await this.store.query('running_sessions', tool.tier, () => this.started.begin(key, start));
    if (!('answer' in queried)) return queried.refusal;
    const started = sorted(queried.answer);
    if (started.sessions.length + started.inProgress + started.unknown.length < max) {
      return this.store.recordVerdict('running_sessions', undefined);
    }
    const { running, further } = await this.running(started).catch(async (error: unknown) => {
      // Nothing is started when the running sessions cannot be read.
      await this.store.update(() => this.started.forget(key, start));
      throw error;
    });
    const isFull = running.length + further >= max;
    return this.store.recordVerdict('running_sessions', isFull ? refused(max, running) : undefined);
  }

  /** A start with an unknown result stays in the list until it is stale, because it may have created a session. */
  private async settle(call: ToolCall, key: string, start: string): Promise<void> {
    const { createdSessionId } = call;
    if (createdSessionId === undefined && startedNothing(call)) {
      return this.store.update(() => this.started.forget(key, start));
    }
    const hasWork = Boolean(call.arguments.message);
    const entry = createdSessionId === undefined ? endedStart(start) : sessionEntry(createdSessionId, hasWork);
    await this.store.update(() => this.started.replace(key, start, entry));
  }

  /** The sessions of these that are running, and how many further ones may be, of starts without a known session. */
  private async running(started: Started): Promise<{ running: string[]; further: number }> {
    const unseen = new Set(started.sessions);
    const running: string[] = [];
    const others: Session[] = [];
    let page: string | undefined;
    for (let pages = 0; pages < MAX_PAGES; pages++) {
      const listed = await this.sessions.list({ statuses: ['running', 'rescheduling'], limit: PAGE_SIZE, page });
      for (const session of listed.items) {
        if (unseen.delete(session.id)) running.push(session.id);
        else others.push(session);
      }
      page = listed.nextPage;
      const isSeen = unseen.size === 0 && started.unknown.length === 0;
      if (page !== undefined && !isSeen) continue;
      const recent = [...unseen].filter((id) => started.recent.has(id));
      const further = started.inProgress + withSession(started.unknown, others);
      return { running: [...running, ...(await this.notEnded(recent))], further };
    }
    // The API lists more than is read: the sessions not seen count as running.
    return { running: [...running, ...unseen], further: started.inProgress + started.unknown.length };
  }

  /** The sessions of these whose event log does not show that they have stopped, or is not read. */
  private async notEnded(ids: readonly string[]): Promise<string[]> {
    const looked = ids.slice(0, MAX_LOGS).map(async (id) => ((await this.hasStopped(id)) ? [] : [id]));
    return [...(await Promise.all(looked)).flat(), ...ids.slice(MAX_LOGS)];
  }

  private async hasStopped(id: string): Promise<boolean> {
    try {
      const { status, queuedInputs } = await this.log.situation(id);
      return (status === 'idle' || status === 'terminated') && queuedInputs === 0;
    } catch (error) {
      if (error instanceof ApiError) return false;
      throw error;
    }
  }
}

/** How many of these starts, by the times they began, may have created one of these sessions. */
function withSession(starts: readonly number[], sessions: readonly Session[]): number {
  const created = sessions.map(({ created_at }) => Date.parse(created_at));
  return starts.filter((start) =>
    created.some((time) => time > start - CREATION_MS.before && time < start + CREATION_MS.after),
  ).length;
}

function refused(max: number, running: readonly string[]): Refusal {
  const named = running.slice(0, MAX_NAMED).join(', ');
  return {
    rule: 'running_sessions',
    message: `Limit reached: ${max} running session${max === 1 ? '' : 's'} started through this server (MCP_MAX_RUNNING_SESSIONS)${named && `: ${named}`}. Nothing was started. Wait for one with session_wait or stop one with session_interrupt, then start again; otherwise try again in ${TRY_AGAIN_SECONDS} seconds.`,
  };
}
