import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { type Situation } from '../../managed-agents/log/situation.js';
import { parseTime } from '../../managed-agents/log/time.js';
import { type Session } from '../../managed-agents/sessions.service.js';

/** How many sessions are remembered; a few MB. */
const MAX_SESSIONS = 10_000;

/**
 * How long nothing must have happened to a session before it is remembered, in milliseconds. Session object and event
 * log are up to about two seconds apart, either one ahead. Right after a call begins to wait, the object can already
 * look as it will look from then on, while the log read beside it still ends with the turn before: remembered, that
 * object would hide the call for good. A minute covers those two seconds and clocks that differ.
 */
const QUIET_MS = 60_000;

/**
 * Which sessions wait for no answer. Most idle sessions have simply finished, and reading their logs again for every list
 * would use up the API's quota. A session is remembered together with what its object looked like; another turn changes
 * that, and the session is read again. An object that lags can delay a new call by its two seconds, never hide it.
 */
export class SettledSessions {
  /** Fingerprints by session id. */
  private readonly fingerprints = new LRUCache<string, string>({ max: MAX_SESSIONS });

  /** Whether a session, as just listed, is known to wait for no answer. */
  has(session: Session): boolean {
    const known = this.fingerprints.get(session.id);
    if (known === undefined) return false;
    if (known === fingerprintOf(session)) return true;
    // Once it has changed it stays forgotten: a list that falls back for a moment must not bring the old state back.
    this.fingerprints.delete(session.id);
    return false;
  }

  /** Remembers a session if nothing waits in it; `situation` was read after `session` was listed. */
  remember(session: Session, situation: Situation): void {
    if (!isFinished(situation) || session.status !== 'idle' || !isQuiet(session)) return;
    this.fingerprints.set(session.id, fingerprintOf(session));
  }
}

function isFinished({ turn, complete, unreadable, pendingActions }: Situation): boolean {
  return (
    complete && unreadable === undefined && pendingActions.length === 0 && (turn === 'over' || turn === 'not_started')
  );
}

function isQuiet({ updated_at }: Session): boolean {
  const updatedAt = parseTime(updated_at);
  return updatedAt !== undefined && Date.now() - updatedAt / 1000 > QUIET_MS;
}

/** What another turn changes. What `updated_at` covers is not documented; a turn always costs tokens. */
function fingerprintOf({ status, updated_at, usage }: Session): string {
  return hash('sha256', JSON.stringify([status, updated_at, usage]), 'base64url');
}
