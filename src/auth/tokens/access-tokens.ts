import { type KeyObject } from 'node:crypto';
import { type Principal } from '../../context/principal.js';
import { type KeyName } from '../provider/signing-keys.js';
import { type TrustedIssuer, type TrustedIssuers } from '../provider/trusted-issuers.js';
import { type Claims } from './claims.js';
import { decode } from './encoded-token.js';
import { quoted, TokenRefusal } from './token-refusal.js';
import { type TokenRules } from './token-rules.js';
import { VerifiedTokens } from './verified-tokens.js';

/** Clocks differ; this much is forgiven, in seconds. */
export const LEEWAY_SECONDS = 60;

interface Provenance {
  readonly issuer: TrustedIssuer;
  readonly name: KeyName;
}

/** What the strategy asks before and after it has checked a signature. */
export class AccessTokens {
  private readonly verified = new VerifiedTokens();

  constructor(
    private readonly issuers: TrustedIssuers,
    private readonly rules: TokenRules,
  ) {}

  /** The caller, when this very token was verified before and nothing has changed since. */
  remembered(token: string): Principal | undefined {
    return this.verified.principalOf(token);
  }

  /** The key that must have signed the token: of the issuer it names, and of no other. */
  async keyOf(token: string): Promise<KeyObject> {
    const { issuer, name } = this.provenance(token);
    const key = await issuer.keys.find(name);
    if (key) return key;
    if ((await issuer.keys.count()) === 0) throw new TokenRefusal('keys', `no keys of ${issuer.issuer} are known`);
    throw new TokenRefusal('key', `${issuer.issuer} has no ${name.alg} key ${quoted(name.kid)}`);
  }

  /** The caller a token with a good signature is for. */
  accept(token: string, claims: Claims): Principal {
    const { issuer, name } = this.provenance(token);
    const principal = this.rules.principal(claims);
    const key = issuer.keys.current(name);
    const expiresAt = (Number(claims.exp) + LEEWAY_SECONDS) * 1000;
    if (key) this.verified.remember(token, { principal, expiresAt, name, keys: issuer.keys, key });
    return principal;
  }

  private provenance(token: string): Provenance {
    const { header, claims } = decode(token);
    this.rules.checkHeader(header);
    const issuer = this.issuers.get(claims.iss);
    if (!issuer) throw new TokenRefusal('issuer', `the issuer ${quoted(claims.iss)} is not trusted`);
    const { kid, alg } = header;
    if (kid !== undefined && typeof kid !== 'string') throw new TokenRefusal('key', 'the key id is not a text');
    return { issuer, name: { kid, alg: alg as string } };
  }
}
