import { type Claims } from './claims.js';
import { TokenRefusal } from './token-refusal.js';

/** A token as it arrived: readable, but nothing in it is proven. */
export interface EncodedToken {
  readonly header: Claims;
  readonly claims: Claims;
}

/** Reads the two JSON parts of a signed token (RFC 7515 §3.1). */
export function decode(token: string): EncodedToken {
  const parts = token.split('.');
  const [header, claims] = parts.slice(0, 2).map(object);
  if (parts.length !== 3 || !header || !claims) throw new TokenRefusal('malformed', 'not a signed JSON web token');
  return { header, claims };
}

function object(part: string): Claims | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Claims) : undefined;
  } catch {
    // Whoever asks refuses the token; what the parser says about it would quote it.
    return undefined;
  }
}
