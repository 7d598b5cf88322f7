import { Inject, Injectable } from '@nestjs/common';
import { LimitsSettings } from '../../config/limits.settings.js';
import { requireToolCall, type ToolCall } from '../../context/call.js';
import { SessionsService } from '../../managed-agents/sessions.service.js';
import { type PolicyRequest, type Refusal, type StatefulPolicy } from '../policy.js';
import { principalKey } from './principal-key.js';
import { newStart, sorted, STARTED_SESSIONS, startedNothing, type StartedSessions } from './started-sessions.js';
import { StoreHealth } from './store-health.js';

/** Most pages of the API's list of running sessions that one start reads. */
const MAX_PAGES = 5;
const PAGE_SIZE = 100;
/** Most running sessions that a refusal names. */
const MAX_NAMED = 5;
/** When to try again, in seconds, for a caller that does not wait for one of its sessions. */
const TRY_AGAIN_SECONDS = 60;

/**
 * Limits how many sessions a caller has running when it starts another one. The server remembers the sessions a caller
 * started through it. The API is asked which of them are running only when their number reaches the limit.
 */
@Injectable()
export class RunningSessionsPolicy implements StatefulPolicy {
  constructor(
    private readonly settings: LimitsSettings,
    @Inject(STARTED_SESSIONS) private readonly started: StartedSessions,
    private readonly store: StoreHealth,
    private readonly sessions: SessionsService,
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
    const { sessions, beginning } = sorted(queried.answer);
    if (sessions.length + beginning < max) return this.store.recordVerdict('running_sessions', undefined);
    const running = await this.running(sessions).catch(async (error: unknown) => {
      // Nothing is started when the running sessions cannot be read.
      await this.store.update(() => this.started.forget(key, start));
      throw error;
    });
    const isFull = running.length + beginning >= max;
    return this.store.recordVerdict('running_sessions', isFull ? refused(max, running) : undefined);
  }

  /** A start whose answer was lost stays in the list until it is stale, because it may have created a session. */
  private async settle(call: ToolCall, key: string, start: string): Promise<void> {
    const { createdSessionId } = call;
    if (createdSessionId !== undefined)
      await this.store.update(() => this.started.succeed(key, start, createdSessionId));
    else if (startedNothing(call)) await this.store.update(() => this.started.forget(key, start));
  }

  /** The sessions of these that are running. If the API lists more than is read, the ones not seen count as running. */
  private async running(ids: readonly string[]): Promise<string[]> {
    const unseen = new Set(ids);
    const running: string[] = [];
    let page: string | undefined;
    for (let pages = 0; pages < MAX_PAGES; pages++) {
      const listed = await this.sessions.list({ statuses: ['running', 'rescheduling'], limit: PAGE_SIZE, page });
      running.push(...listed.items.map(({ id }) => id).filter((id) => unseen.delete(id)));
      page = listed.nextPage;
      if (page === undefined || unseen.size === 0) return running;
    }
    return [...running, ...unseen];
  }
}

function refused(max: number, running: readonly string[]): Refusal {
  const named = running.slice(0, MAX_NAMED).join(', ');
  return {
    rule: 'running_sessions',
    message: `Limit reached: ${max} running session${max === 1 ? '' : 's'} started through this server (MCP_MAX_RUNNING_SESSIONS)${named && `: ${named}`}. Nothing was started. Wait for one with session_wait or stop one with session_interrupt, then start again; otherwise try again in ${TRY_AGAIN_SECONDS} seconds.`,
  };
}
