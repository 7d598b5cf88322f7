import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { ApiError } from '../../managed-agents/api-error.js';
import { type Session, SessionsService } from '../../managed-agents/sessions.service.js';
import { factsOf, type SessionFacts } from './session-rules.js';

/** How many sessions are remembered; a few MB. */
const MAX_SESSIONS = 10_000;

/** The facts about sessions, by session id. Each session is read at most once, because its facts never change. */
@Injectable()
export class KnownSessions {
  private readonly facts: LRUCache<string, SessionFacts>;

  constructor(sessions: SessionsService) {
    this.facts = new LRUCache<string, SessionFacts>({
      max: MAX_SESSIONS,
      // Callers that ask for the same session while it is read share the read. A read that fails is not remembered.
      fetchMethod: async (id) => factsOf(await sessions.get(id)),
      // A read is never aborted by the cache: it is still valid after its entry was replaced or evicted.
      ignoreFetchAbort: true,
    });
  }

  /** Undefined if the API has no such session. Any other failure of the API is thrown: without facts, no access. */
  async find(id: string): Promise<SessionFacts | undefined> {
    try {
      return await this.facts.fetch(id);
    } catch (error) {
      if (error instanceof ApiError && error.details.status === 404) return undefined;
      throw error;
    }
  }

  remember(session: Session): void {
    this.facts.set(session.id, factsOf(session));
  }
}
