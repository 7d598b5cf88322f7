import { Inject, Injectable } from '@nestjs/common';
import { LimitsSettings } from '../../config/limits.settings.js';
import { requireToolCall, type ToolCall } from '../../context/call.js';
import { SessionsService } from '../../managed-agents/sessions.service.js';
import { type CostlyPolicy, type PolicyRequest, type Refusal } from '../policy.js';
import { principalKey } from './principal-key.js';
import { startedNothing } from './start-outcome.js';
import { newStart, sorted, type StartedSessions } from './started-sessions.js';
import { StoreHealth } from './store-health.js';

export const STARTED_SESSIONS = Symbol('started sessions');

/** Pages of the API's list of running sessions that one start may read. */
const MAX_PAGES = 5;
const PAGE_SIZE = 100;
const MAX_NAMED = 5;
/** When to try again without having waited for a session, in seconds. */
const TRY_AGAIN_SECONDS = 60;

/**
 * Bounds how many sessions a caller has running when it starts another one. The server remembers what a caller started
 * through it; only when that alone reaches the limit is the API asked which of them are running.
 */
@Injectable()
export class RunningSessionsPolicy implements CostlyPolicy {
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
    // In the list before it is judged, so that of two starts at once only the first can take the last place.
    const asked = await this.store.ask('running_sessions', tool.tier, () => this.started.begin(key, start));
    if (!('answer' in asked)) return asked.refusal;
    const { sessions, beginning } = sorted(asked.answer);
    if (sessions.length + beginning < max) return this.store.judged('running_sessions', undefined);
    const running = await this.running(sessions).catch(async (error: unknown) => {
      // Without this look nothing is started.
      await this.store.tell(() => this.started.forget(key, start));
      throw error;
    });
    const isFull = running.length + beginning >= max;
    return this.store.judged('running_sessions', isFull ? refused(max, running) : undefined);
  }

  /** A start whose answer was lost stays in the list until it is stale: there may be a session. */
  private async settle(call: ToolCall, key: string, start: string): Promise<void> {
    const { createdSessionId } = call;
    if (createdSessionId !== undefined) await this.store.tell(() => this.started.succeed(key, start, createdSessionId));
    else if (startedNothing(call)) await this.store.tell(() => this.started.forget(key, start));
  }

  /** Those of the sessions that run. In the unlikely case that the list is longer than read, the unseen ones count. */
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
    message: `You have ${max} sessions running that were started here, as many as you may (MCP_MAX_RUNNING_SESSIONS)${named && `: ${named}`}. Wait for one with session_wait or stop one with session_interrupt, then start again; otherwise try again in ${TRY_AGAIN_SECONDS} seconds.`,
  };
}
