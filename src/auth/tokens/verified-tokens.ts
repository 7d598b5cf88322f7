import { createHash, type KeyObject } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { type Principal } from '../../context/principal.js';
import { type KeyName, type SigningKeys } from '../provider/signing-keys.js';

/** Tokens remembered at once; the least recently used make room. */
const MAX_TOKENS = 5000;

/** A token that passed every rule. */
export interface VerifiedToken {
  readonly principal: Principal;
  /** Until when it is accepted, in milliseconds. */
  readonly expiresAt: number;
  readonly name: KeyName;
  readonly keys: SigningKeys;
  /** The key that proved it. */
  readonly key: KeyObject;
}

/** Spares the signature check of tokens seen before, until they expire or their issuer's keys are due to be fetched. */
export class VerifiedTokens {
  private readonly byDigest = new LRUCache<string, VerifiedToken>({ max: MAX_TOKENS });

  remember(token: string, verified: VerifiedToken): void {
    this.byDigest.set(digest(token), verified);
  }

  principalOf(token: string): Principal | undefined {
    const found = this.byDigest.get(digest(token));
    if (!found || Date.now() >= found.expiresAt) return undefined;
    return found.keys.current(found.name) === found.key ? found.principal : undefined;
  }
}

/** The tokens themselves are not kept. */
function digest(token: string): string {
  return createHash('sha256').update(token).digest('base64');
}
