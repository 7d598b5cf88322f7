import { Injectable, Logger } from '@nestjs/common';
import { currentRequest } from '../context/request.js';
import { ApiError } from './api-error.js';
import { EventLogService } from './event-log.service.js';
import { cursorAtStart } from './log/cursor.js';
import { type LogEvent } from './log/event.js';
import { type InputEvent, type Session, type SessionCreateParams, SessionsService } from './sessions.service.js';
import { pause } from './timing.js';

/** A session that was created, and what became of its first events. */
export interface OpenedSession {
  readonly session: Session;
  /** `with_create`: part of the create call. `afterwards`: sent by a call of its own, because the API takes them in no other way. */
  readonly message: 'none' | 'with_create' | 'afterwards';
  /** The last event that was sent afterwards, as the API accepted it. */
  readonly accepted?: LogEvent;
  /** Why the events could not be sent afterwards. The session exists. */
  readonly failure?: ApiError;
}

/** How often, and after which pause, a session that is idle is looked at before its first events count as ignored. */
const LOOKS = 3;
const PAUSE_MS = 700;

/** An API that does not know a field says so in one of these words, and names the field alone. */
const UNKNOWN_FIELD = /extra|unknown|unexpected|unrecognized|unsupported|not (permitted|allowed|supported)|additional/i;
const FIELD = /\binitial_events\b(?![[.])/;

/**
 * Creates sessions with their first events. The API takes both in one call, so that no session is left without its
 * message. Other servers of the same API may refuse `initial_events` as an unknown field, or accept and ignore them; the
 * events are then sent by a second call. What the server does is remembered until this process ends.
 */
@Injectable()
export class SessionOpening {
  private readonly logger = new Logger('ManagedAgentsApi');
  private lacksInitialEvents = false;

  constructor(
    private readonly sessions: SessionsService,
    private readonly log: EventLogService,
  ) {}

  /**
   * @param created is called as soon as the session exists
   * @throws {ApiError} when no session was created, or when that is uncertain
   */
  async open(
    { initial_events, ...rest }: SessionCreateParams,
    created: (session: Session) => void,
  ): Promise<OpenedSession> {
    const create = async (params: SessionCreateParams) => {
      const session = await this.sessions.create(params);
      created(session);
      return session;
    };
    if (!initial_events?.length) return { session: await create(rest), message: 'none' };
    const events = initial_events as InputEvent[];
    if (this.lacksInitialEvents) return this.send(await create(rest), events);
    let session: Session;
    try {
      session = await create({ ...rest, initial_events });
    } catch (error) {
      if (!refusesInitialEvents(error)) throw error;
      this.noteLack('refuses');
      return this.send(await create(rest), events);
    }
    if (session.status !== 'idle' || !(await this.ignored(session.id))) return { session, message: 'with_create' };
    this.noteLack('ignores');
    return this.send(session, events);
  }

  /** Whether the session stays idle with an empty log. In doubt the events count as taken: nothing is sent twice. */
  private async ignored(id: string): Promise<boolean> {
    const signal = currentRequest()?.ended ?? new AbortController().signal;
    try {
      for (let look = 0; look < LOOKS; look++) {
        if (look > 0) await pause(PAUSE_MS, signal);
        const [{ status }, { events, queued }] = await Promise.all([
          this.sessions.get(id),
          this.log.read(id, { since: cursorAtStart(id), limit: 1 }),
        ]);
        if (status !== 'idle' || events.length + queued > 0 || signal.aborted) return false;
      }
      return true;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      return false;
    }
  }

  private async send(session: Session, events: InputEvent[]): Promise<OpenedSession> {
    const opened = { session, message: 'afterwards' as const };
    try {
      return { ...opened, accepted: (await this.sessions.send(session.id, events)).at(-1) };
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      return { ...opened, failure: error };
    }
  }

  private noteLack(what: 'refuses' | 'ignores'): void {
    if (this.lacksInitialEvents) return;
    this.lacksInitialEvents = true;
    this.logger.warn(`the API ${what} initial_events; first messages are sent by a second call from now on`);
  }
}

function refusesInitialEvents(error: unknown): boolean {
  if (!(error instanceof ApiError)) return false;
  const { kind, status, apiMessage, cause } = error.details;
  if (kind !== 'status' || (status !== 400 && status !== 422)) return false;
  // Other servers may have another shape of errors, which is in the message of the SDK's error only.
  const text = apiMessage ?? (cause instanceof Error ? cause.message : '');
  return FIELD.test(text) && UNKNOWN_FIELD.test(text);
}
