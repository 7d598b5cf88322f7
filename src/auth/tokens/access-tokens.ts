import { hash, type KeyObject } from 'node:crypto';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { LRUCache } from 'lru-cache';
import { KeysUnavailable, quoted, TokenRefusal } from '../auth-refusals.js';
import { type Principal } from '../../context/principal.js';
import { type KeyName, type SigningKeys } from '../provider/signing-keys.js';
import { type TrustedIssuer, type TrustedIssuers } from '../provider/trusted-issuers.js';
import { type Claims } from './claims.js';
import { type TokenRules } from './token-rules.js';

/** Accepted difference between the clocks of issuer and server, in seconds. */
export const LEEWAY_SECONDS = 60;
/** Verified tokens that are remembered at once; the least recently used are dropped. */
const MAX_REMEMBERED = 5000;

/** The two JSON parts of a token. Nothing in them is proven before the signature has been checked. */
export interface DecodedToken {
  readonly header: Claims;
  readonly payload: Claims;
}

/** A token that passed every rule. */
interface VerifiedToken {
  readonly principal: Principal;
  /** End of its acceptance, in milliseconds. */
  readonly expiresAt: number;
  readonly name: KeyName;
  readonly keys: SigningKeys;
  /** The key that verified it. */
  readonly key: KeyObject;
}

/**
 * Decodes a signed token (RFC 7515 §3.1) without verifying it; 14 µs, only for tokens that are not remembered. By jose, as
 * jsonwebtoken's `decode` takes as long and throws a parser error that quotes the token when its payload is not JSON.
 */
export function decodeToken(token: string): DecodedToken {
  try {
    return { header: { ...decodeProtectedHeader(token) }, payload: decodeJwt(token) };
  } catch {
    throw new TokenRefusal('malformed', 'not a signed JSON web token');
  }
}

/** What the strategy needs before and after it verifies a signature. */
export class AccessTokens {
  /** By digest. Saves verifying a token again until it expires or a fetch of its issuer's keys is due. */
  private readonly verified = new LRUCache<string, VerifiedToken>({ max: MAX_REMEMBERED });

  constructor(
    private readonly issuers: TrustedIssuers,
    private readonly rules: TokenRules,
  ) {}

  /** The caller, when this token was verified before, has not expired, and its key is still current. */
  remembered(token: string): Principal | undefined {
    const found = this.verified.get(digest(token));
    if (!found || Date.now() >= found.expiresAt) return undefined;
    return found.keys.current(found.name) === found.key ? found.principal : undefined;
  }

  /** The key that must have signed the token: only the issuer that the token names is asked for it. */
  async keyOf(token: string): Promise<KeyObject> {
    const { issuer, name } = this.signer(decodeToken(token));
    const key = await issuer.keys.find(name);
    if (key) return key;
    if ((await issuer.keys.count()) === 0) {
      throw new KeysUnavailable(issuer.issuer, issuer.keys.retryAfterSeconds);
    }
    throw new TokenRefusal('key', `${issuer.issuer} has no ${name.alg} key ${quoted(name.kid)}`);
  }

  /** The caller that a verified token identifies. */
  accept(token: string, decoded: DecodedToken): Principal {
    const { issuer, name } = this.signer(decoded);
    const principal = this.rules.principal(decoded.header, decoded.payload);
    const key = issuer.keys.current(name);
    const expiresAt = (Number(decoded.payload.exp) + LEEWAY_SECONDS) * 1000;
    if (key) this.verified.set(digest(token), { principal, expiresAt, name, keys: issuer.keys, key });
    return principal;
  }

  private signer({ header, payload }: DecodedToken): { issuer: TrustedIssuer; name: KeyName } {
    this.rules.checkHeader(header);
    const issuer = this.issuers.get(payload.iss);
    if (!issuer) throw new TokenRefusal('issuer', `the issuer ${quoted(payload.iss)} is not trusted`);
    const { kid, alg } = header;
    if (kid !== undefined && typeof kid !== 'string') throw new TokenRefusal('key', 'the key id is not a text');
    return { issuer, name: { kid, alg: alg as string } };
  }
}

/** The tokens themselves are not stored. */
function digest(token: string): string {
  return hash('sha256', token, 'base64');
}
