import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { ApiError } from '../../managed-agents/api-error.js';
import { type Session, SessionsService } from '../../managed-agents/sessions.service.js';
import { factsOf, type SessionFacts } from './session-facts.js';

/** How many sessions are remembered; a few MB. */
const MAX_SESSIONS = 10_000;

/** The facts of sessions, each read at most once: they never change. */
@Injectable()
export class KnownSessions {
  /** By session id. */
  private readonly facts = new LRUCache<string, SessionFacts>({ max: MAX_SESSIONS });
  /** The lookups under way; who asks for the same session meanwhile shares them. */
  private readonly reading = new Map<string, Promise<SessionFacts | undefined>>();

  constructor(private readonly sessions: SessionsService) {}

  /** Undefined where the API knows no such session. Any other failure of the API is thrown: without facts, no access. */
  async find(id: string): Promise<SessionFacts | undefined> {
    return this.facts.get(id) ?? this.reading.get(id) ?? this.read(id);
  }

  remember(session: Session): void {
    this.facts.set(session.id, factsOf(session));
  }

  private read(id: string): Promise<SessionFacts | undefined> {
    const reading = this.lookUp(id).finally(() => this.reading.delete(id));
    this.reading.set(id, reading);
    return reading;
  }

  private async lookUp(id: string): Promise<SessionFacts | undefined> {
    try {
      const facts = factsOf(await this.sessions.get(id));
      this.facts.set(id, facts);
      return facts;
    } catch (error) {
      // Not remembered: nobody can say that there will never be one.
      if (error instanceof ApiError && error.details.status === 404) return undefined;
      throw error;
    }
  }
}
