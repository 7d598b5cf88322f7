import { ApiError } from '../../managed-agents/api-error.js';
import { type EventLogService } from '../../managed-agents/event-log.service.js';
import { type Situation } from '../../managed-agents/log/situation.js';
import { type Session } from '../../managed-agents/sessions.service.js';
import { type ApprovalPage } from './approval-page.js';
import { type Candidate, type Candidates } from './candidates.js';
import { type SettledSessions } from './settled-sessions.js';

/**
 * What one call may cost. A situation is one request for most sessions, and at most six; a search of 50 in parallel
 * fives takes a few seconds, and is given up in time for clients that wait no longer than a minute.
 */
const MAX_SITUATIONS = 50;
const MAX_LIST_PAGES = 5;
const MAX_PARALLEL = 5;
const MAX_MS = 20_000;

/** Why a search ended: no session is left, the page is full, the bounds are reached, or the API failed. */
export type Stop = 'end' | 'full' | 'bounds' | ApiError;

type Reading = Pick<Situation, 'pendingActions' | 'complete' | 'unreadable'>;
const NOTHING: Reading = { pendingActions: [], complete: true };

/** Goes through the candidates in order and puts what waits in them on the page. Used once. */
export class ApprovalSearch {
  /** How many sessions of those the caller may reach the page covers. */
  examined = 0;
  /** How many of them have a log too long to be read back to the start of the turn. */
  unfinishedLogs = 0;
  private situations = 0;
  private unreadableEvents = 0;
  private readonly deadline = performance.now() + MAX_MS;

  constructor(
    private readonly log: EventLogService,
    private readonly settled: SettledSessions,
    private readonly candidates: Candidates,
    private readonly page: ApprovalPage,
  ) {}

  /** How many sessions of the list, and entries of their logs, cannot be read. Further calls may be pending in them. */
  get unreadable(): number {
    return this.candidates.unreadable + this.unreadableEvents;
  }

  async run(): Promise<Stop> {
    try {
      for (;;) {
        const stop = await this.examineAll(await this.candidates.next());
        if (stop) return stop;
        if (this.candidates.exhausted) return 'end';
        if (this.page.isFull) return 'full';
        if (this.candidates.pages >= MAX_LIST_PAGES) return 'bounds';
      }
    } catch (error) {
      if (error instanceof ApiError) return error;
      throw error;
    }
  }

  private get isSpent(): boolean {
    const isLate = this.examined > 0 && performance.now() > this.deadline;
    return isLate || this.situations + MAX_PARALLEL > MAX_SITUATIONS;
  }

  private async examineAll(candidates: readonly Candidate[]): Promise<Stop | undefined> {
    for (let index = 0; index < candidates.length;) {
      if (this.page.isFull) return 'full';
      if (this.isSpent) return 'bounds';
      const batch = this.batchFrom(candidates, index);
      const stop = await this.examine(batch);
      if (stop) return stop;
      index += batch.length;
    }
    return undefined;
  }

  /** The next candidates, of which as many have to be read as may be in parallel. */
  private batchFrom(candidates: readonly Candidate[], index: number): { candidate: Candidate; isSettled: boolean }[] {
    const batch = [];
    let unread = 0;
    for (const candidate of candidates.slice(index)) {
      const isSettled = candidate.isHidden === true || this.settled.has(candidate.session);
      if (!isSettled && ++unread > MAX_PARALLEL) break;
      batch.push({ candidate, isSettled });
    }
    return batch;
  }

  private async examine(batch: ReturnType<ApprovalSearch['batchFrom']>): Promise<Stop | undefined> {
    const readings = await Promise.all(
      batch.map(async ({ candidate, isSettled }) => ({
        candidate,
        reading: isSettled ? NOTHING : await this.read(candidate.session),
      })),
    );
    for (const { candidate, reading } of readings) {
      if (reading instanceof ApiError) return reading;
      if (!this.page.add(candidate, reading.pendingActions)) return 'full';
      if (!candidate.isHidden) this.examined += 1;
      if (!reading.complete) this.unfinishedLogs += 1;
      if (!candidate.isHidden) this.unreadableEvents += reading.unreadable ?? 0;
    }
    return undefined;
  }

  /** Returns the failure, so that the sessions before it in order still count. */
  private async read(session: Session): Promise<Reading | ApiError> {
    this.situations += 1;
    try {
      const situation = await this.log.situation(session.id);
      this.settled.remember(session, situation);
      return situation;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      // Deleted since it was listed.
      return error.details.status === 404 ? NOTHING : error;
    }
  }
}
