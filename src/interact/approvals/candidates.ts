import { ApiError } from '../../managed-agents/api-error.js';
import { formatTime, parseTime } from '../../managed-agents/log/time.js';
import { type Session, type SessionListRequest, type SessionsService } from '../../managed-agents/sessions.service.js';
import { newestFirst, type Place, placeOf, type Position } from './approval-position.js';

/** Every status of a session that has not ended. A sub-agent's call can wait whatever the others do. */
const OPEN_STATUSES: SessionListRequest['statuses'] = ['idle', 'running', 'rescheduling'];

/** Sessions per request. */
const PAGE_SIZE = 100;

/** A session, and its place in the order in which sessions are examined. */
export interface Candidate {
  readonly session: Session;
  readonly place: Place;
  /** Whether it is not for the caller. It keeps its place, so that the search makes progress, and is not read. */
  readonly isHidden?: boolean;
}

/**
 * The sessions in which something may wait, newest first, one page of the list after the other. It starts by creation
 * time instead of a page cursor of the API: that holds also when newer sessions have been added or some have ended, and
 * nothing the caller sends reaches the API but a time.
 */
export class Candidates {
  private listed = 0;
  private leftOut = 0;
  private nextPage?: string;
  private held: readonly Candidate[] = [];

  constructor(
    private readonly sessions: SessionsService,
    private readonly agentId: string | undefined,
    private readonly start: Position | undefined,
    private readonly permits: (session: Session) => boolean = () => true,
  ) {}

  /** How many pages were read. */
  get pages(): number {
    return this.listed;
  }

  /** How many sessions of the list cannot be read. */
  get unreadable(): number {
    return this.leftOut;
  }

  /** Whether the last page was read. */
  get exhausted(): boolean {
    return this.listed > 0 && this.nextPage === undefined;
  }

  async next(): Promise<readonly Candidate[]> {
    const page = await this.sessions.list({
      limit: PAGE_SIZE,
      statuses: OPEN_STATUSES,
      page: this.nextPage,
      ...(this.agentId !== undefined && { agent_id: this.agentId }),
      ...(this.start && { created_before: formatTime(this.start.session.time) }),
    });
    this.listed += 1;
    this.leftOut += page.unreadable ?? 0;
    this.nextPage = page.nextPage;
    const fresh = page.items.map((session) => this.toCandidate(session)).filter(({ place }) => this.isAhead(place));
    return this.holdTies([...this.held, ...fresh].sort((a, b) => newestFirst(a.place, b.place)));
  }

  private isAhead(place: Place): boolean {
    if (!this.start) return true;
    const distance = newestFirst(place, this.start.session);
    return distance > 0 || (distance === 0 && this.start.call !== undefined);
  }

  /**
   * Sessions of the last one's microsecond wait for the next page, which may begin with more of them: only together can
   * they be put in order. A whole page of them, which the API's limit of 300 creations per minute rules out, goes as is.
   */
  private holdTies(sorted: readonly Candidate[]): readonly Candidate[] {
    const last = sorted.at(-1);
    const ties = sorted.findIndex(({ place }) => place.time === last?.place.time);
    const end = this.nextPage !== undefined && ties > 0 ? ties : sorted.length;
    this.held = sorted.slice(end);
    return sorted.slice(0, end);
  }

  private toCandidate(session: Session): Candidate {
    const createdAt = parseTime(session.created_at);
    if (createdAt === undefined) throw new ApiError({ kind: 'unreadable', operation: 'sessions.list' });
    return { session, place: placeOf(session.id, createdAt), ...(!this.permits(session) && { isHidden: true }) };
  }
}
