import { type IncomingHttpHeaders } from 'node:http';
import { type Principal } from '../../context/principal.js';
import { bearerTokenOf } from '../bearer-token.js';
import { type AccessTokens } from '../tokens/access-tokens.js';
import { type Claims } from '../tokens/claims.js';
import { TokenRefusal } from '../tokens/token-refusal.js';

/** The part of a request a strategy looks at. */
export interface TokenBearer {
  readonly headers: IncomingHttpHeaders;
}

/** As Passport wants it: the user, or that there is none and why. */
export type Verdict = Principal | [user: false, why: TokenRefusal];

export function verdict(tokens: AccessTokens, request: TokenBearer, claims: Claims): Verdict {
  try {
    return tokens.accept(bearerTokenOf(request) ?? '', claims);
  } catch (error) {
    if (error instanceof TokenRefusal) return [false, error];
    throw error;
  }
}
