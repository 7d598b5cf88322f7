import { type AuthSettings } from '../../config/auth.settings.js';
import { quoted, TokenRefusal } from '../auth-refusals.js';
import { type Principal } from '../../context/principal.js';
import { type Claims, listedIn, scopesOf, text, texts } from './claims.js';

/** Header types of access tokens (RFC 9068 §2.1, RFC 8725 §3.11); other types have another purpose. */
const ACCESS_TOKEN_TYPES = new Set(['jwt', 'at+jwt', 'application/at+jwt']);
/** Values of Keycloak's `typ` claim that do not mark access tokens. */
const OTHER_TOKENS = new Set(['id', 'refresh', 'offline', 'logout']);
/** Claims that name the caller, in the order in which they become the subject. */
const NAMES = ['sub', 'username', 'cognito:username'] as const;

/** The rules for a token beyond signature, issuer and times, which passport-jwt verifies. Each has its own text for the log. */
export class TokenRules {
  private readonly allowed: ReadonlySet<string>;

  constructor(
    private readonly settings: AuthSettings,
    private readonly tokenUse: string | undefined,
  ) {
    this.allowed = new Set(settings.oidcAllowedPrincipals.map((name) => name.toLowerCase()));
  }

  /** The rules for the header, checked before the signature is verified. */
  checkHeader({ alg, typ, crit }: Claims): void {
    if (!(this.settings.oidcAlgorithms as readonly unknown[]).includes(alg)) {
      throw new TokenRefusal('algorithm', `algorithm ${quoted(alg)} is not accepted`);
    }
    if (typ !== undefined && !(typeof typ === 'string' && ACCESS_TOKEN_TYPES.has(typ.toLowerCase()))) {
      throw new TokenRefusal('type', `a token of type ${quoted(typ)} is not an access token`);
    }
    // Extensions that a reader must understand or refuse (RFC 7515 §4.1.11); none is supported.
    if (crit !== undefined) throw new TokenRefusal('critical', 'the token has critical header extensions');
  }

  /** The caller that these verified claims identify. */
  principal(claims: Claims): Principal {
    if (typeof claims.exp !== 'number') throw new TokenRefusal('expiry', 'the token has no expiry (exp)');
    this.checkKind(claims);
    this.checkAudience(claims);
    const email = verifiedEmail(claims);
    const names = NAMES.map((name) => text(claims, name)).filter((name) => name !== undefined);
    const subject = names[0] ?? email;
    if (subject === undefined) throw new TokenRefusal('subject', 'the token names no subject');
    this.checkAllowed([...names, ...(email === undefined ? [] : [email])]);
    return {
      subject,
      issuer: String(claims.iss),
      ...(email !== undefined && { email }),
      roles: listedIn(claims, this.settings.oidcRoleClaims),
      groups: listedIn(claims, this.settings.oidcGroupClaims),
      scopes: scopesOf(claims),
    };
  }

  /** ID tokens inform a client who signed in; they grant no access. Not every provider marks them. */
  private checkKind(claims: Claims): void {
    if (this.tokenUse !== undefined && claims.token_use !== this.tokenUse) {
      throw new TokenRefusal('token_use', `token_use is ${quoted(claims.token_use)}, not "${this.tokenUse}"`);
    }
    const marked = claims.token_use === 'id' || OTHER_TOKENS.has(String(claims.typ).toLowerCase());
    // Only ID tokens have hashes of a token or code; only they have a nonce without scopes.
    const hashes = claims.at_hash !== undefined || claims.c_hash !== undefined;
    if (marked || hashes || (claims.nonce !== undefined && scopesOf(claims).length === 0)) {
      throw new TokenRefusal('id_token', 'an ID token or refresh token is not an access token');
    }
  }

  private checkAudience(claims: Claims): void {
    const { oidcAudience, oidcAudienceClaims } = this.settings;
    // The list can be empty only with MCP_OIDC_REQUIRE_AUDIENCE=false.
    if (oidcAudience.length === 0) return;
    const named = oidcAudienceClaims.flatMap((claim) => texts(claims[claim]));
    if (named.some((audience) => oidcAudience.includes(audience))) return;
    throw new TokenRefusal('audience', `the token is for ${quoted(named)}, not for one of ${quoted(oidcAudience)}`);
  }

  private checkAllowed(names: readonly string[]): void {
    if (this.allowed.size === 0 || names.some((name) => this.allowed.has(name.toLowerCase()))) return;
    throw new TokenRefusal('principal', `${quoted(names)} is not one of MCP_OIDC_ALLOWED_PRINCIPALS`);
  }
}

/** An address marked as unverified may belong to someone else. Without the mark it counts as verified. */
function verifiedEmail(claims: Claims): string | undefined {
  return claims.email_verified === false || claims.email_verified === 'false' ? undefined : text(claims, 'email');
}
