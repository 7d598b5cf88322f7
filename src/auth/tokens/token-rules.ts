import { type AuthSettings } from '../../config/auth.settings.js';
import { type CallerName, holdsFor, parseCallerName } from '../../config/issuers.js';
import { quoted, TokenRefusal } from '../auth-refusals.js';
import { type Principal } from '../../context/principal.js';
import { claimAt, type Claims, listedIn, scopesOf, texts } from './claims.js';
import { TokenKind } from './token-kind.js';

/** What the verified claims of a token call the person. */
interface Names {
  /** The values of `MCP_OIDC_SUBJECT_CLAIMS`, in that order. */
  readonly subjects: readonly string[];
  /** The e-mail address, unless the provider says that it is not verified. */
  readonly email?: string;
}

/** An address that is not verified may belong to another person, so it is neither an e-mail address nor a name. */
function namesOf(claims: Claims, settings: AuthSettings): Names {
  const found = settings.oidcEmailClaims
    .map((path) => ({ path, address: textAt(claims, path) }))
    .find(({ address }) => address !== undefined);
  const email = found && isVerified(claims, found.path) ? found.address : undefined;
  const subjects = settings.oidcSubjectClaims
    .filter((path) => !['email', ...settings.oidcEmailClaims].includes(path) || isVerified(claims, path))
    .map((path) => ({ path, name: textAt(claims, path) }))
    .filter(({ path, name }) => name !== undefined && !isUnverifiedAddress(claims, path, name))
    .map(({ name }) => name!);
  return { subjects: [...new Set(subjects)], ...(email !== undefined && { email }) };
}

/** Without any mark an address counts as verified, except in tokens of Entra, which mark verified ones (`xms_edov`). */
function isVerified(claims: Claims, path: string): boolean {
  const marks = [claims.email_verified, claimAt(claims, `${path}_verified`)].filter((mark) => mark !== undefined);
  if (marks.length > 0) return marks.every(isTrue);
  return path !== 'email' || textAt(claims, 'tid') === undefined || isTrue(claims.xms_edov);
}

/** Some providers take the address of a person as the user name, before it is verified. */
function isUnverifiedAddress(claims: Claims, path: string, name: string): boolean {
  if (claims.email_verified === undefined || isTrue(claims.email_verified)) return false;
  const isTheAddress = name.toLowerCase() === textAt(claims, 'email')?.toLowerCase();
  return isTheAddress || (path !== 'sub' && name.includes('@'));
}

function isTrue(mark: unknown): boolean {
  return mark === true || mark === 1 || mark === '1' || String(mark).toLowerCase() === 'true';
}

function textAt(claims: Claims, path: string): string | undefined {
  const value = claimAt(claims, path);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Header types of access tokens (RFC 9068 §2.1, RFC 8725 §3.11); other types have another purpose. */
const ACCESS_TOKEN_TYPES = new Set(['jwt', 'at+jwt', 'application/at+jwt']);

/** What the strategy knows beyond the settings of authentication. */
export interface TokenRulesOptions {
  /** The value that the claim `token_use` must have, if any. */
  readonly tokenUse?: string;
  /** With these values in `aud`, a token of Cognito is for this server although its client id names the audience. */
  readonly resources?: readonly string[];
  /** Whether the tokens are of Cognito: named by their client, and bound to a resource only when the client asked. */
  readonly isCognito?: boolean;
}

/** The rules for a token beyond signature, issuer and times, which passport-jwt verifies. Each has its own text for the log. */
export class TokenRules {
  private readonly allowed: readonly CallerName[];
  private readonly kind: TokenKind;

  constructor(
    private readonly settings: AuthSettings,
    private readonly options: TokenRulesOptions,
  ) {
    this.allowed = settings.oidcAllowedPrincipals
      .map(parseCallerName)
      .map(({ issuer, name }) => ({ issuer, name: name.toLowerCase() }));
    this.kind = new TokenKind(settings, options.tokenUse);
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

  /** The caller that this token, whose signature is good, identifies. */
  principal(header: Claims, claims: Claims): Principal {
    if (typeof claims.exp !== 'number') throw new TokenRefusal('expiry', 'the token has no expiry (exp)');
    this.kind.checkMarks(claims);
    this.kind.checkProof({ header, claims, audience: this.checkAudience(claims) });
    const { subjects, email } = namesOf(claims, this.settings);
    const issuer = String(claims.iss);
    const subject = subjects[0] ?? email;
    if (subject === undefined) {
      const wanted = this.settings.oidcSubjectClaims.join(', ');
      throw new TokenRefusal(
        'subject',
        `the token names no subject: it has none of ${wanted}, or only an unverified address`,
      );
    }
    this.checkAllowed(issuer, [...subjects, ...(email === undefined ? [] : [email])]);
    return {
      subject,
      issuer,
      ...(email !== undefined && { email }),
      roles: listedIn(claims, this.settings.oidcRoleClaims),
      groups: listedIn(claims, this.settings.oidcGroupClaims),
      scopes: scopesOf(claims),
    };
  }

  /** The values of `aud` that name this server; all of them when no audience is required. */
  private checkAudience(claims: Claims): string[] {
    const { oidcAudience, oidcAudienceClaims } = this.settings;
    const audience = oidcAudienceClaims.includes('aud') ? texts(claims.aud) : [];
    // The list can be empty only with MCP_OIDC_REQUIRE_AUDIENCE=false.
    if (oidcAudience.length === 0) return audience;
    if (this.options.isCognito) this.checkResource(claims.aud);
    const named = oidcAudienceClaims.flatMap((claim) => texts(claims[claim]));
    if (!named.some((name) => oidcAudience.includes(name))) {
      throw new TokenRefusal('audience', `the token is for ${quoted(named)}, not for one of ${quoted(oidcAudience)}`);
    }
    return audience.filter((name) => oidcAudience.includes(name));
  }

  /** A token of Cognito has `aud` only when it is bound to a resource, which then is another server or this one. */
  private checkResource(aud: unknown): void {
    const ours = [...this.settings.oidcAudience, ...(this.options.resources ?? [])];
    if (aud === undefined || texts(aud).some((name) => ours.includes(name))) return;
    throw new TokenRefusal('audience', `the token is bound to ${quoted(aud)}, not to one of ${quoted(ours)}`);
  }

  private checkAllowed(issuer: string, names: readonly string[]): void {
    if (this.allowed.length === 0) return;
    const lower = names.map((name) => name.toLowerCase());
    const holding = this.allowed.filter((entry) => holdsFor(entry, issuer, this.settings.oidcIssuers));
    if (holding.some(({ name }) => lower.includes(name))) return;
    const hint = holding.length < this.allowed.length ? ` for ${issuer}` : '';
    throw new TokenRefusal('principal', `${quoted(names)} is not one of MCP_OIDC_ALLOWED_PRINCIPALS${hint}`);
  }
}
