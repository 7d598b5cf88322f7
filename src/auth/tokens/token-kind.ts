import { type AuthSettings } from '../../config/auth.settings.js';
import { quoted, TokenRefusal } from '../auth-refusals.js';
import { type Claims, listedIn, scopesOf, text, texts } from './claims.js';

/** Types of access tokens by RFC 9068 §2.1, in the header. */
const ACCESS_TOKEN_TYPES = new Set(['at+jwt', 'application/at+jwt']);
/** Values of the claim `typ` with which Keycloak marks access tokens, and other tokens. */
const MARKED_ACCESS_TOKENS = new Set(['bearer', ...ACCESS_TOKEN_TYPES]);
const MARKED_OTHER_TOKENS = new Set(['id', 'refresh', 'offline', 'logout']);
/** Claims with the id of the client that some providers put into access tokens only. */
const CLIENT_CLAIMS = ['client_id', 'cid', 'appid'];
/**
 * Claims about a sign-in and a person (OpenID Connect Core §2 and §5.1, and those of Entra). Access
 * tokens may have them, but a token with them and without a mark is more likely an ID token, which can have roles, too.
 */
const SIGN_IN_CLAIMS = [
  ...['nonce', 'auth_time', 'acr', 'amr', 'azp', 'sid', 'at_hash', 'c_hash', 's_hash', 'tid', 'oid'],
  ...['name', 'given_name', 'family_name', 'nickname', 'picture'],
];
/** An absolute URI, as identifiers of APIs are. Ids of clients rarely are; those are compared. */
const URI = /^[a-z][a-z\d+.-]*:\S/i;

/** A token whose signature and audience are good. */
export interface VerifiedContents {
  readonly header: Claims;
  readonly claims: Claims;
  /** The values of `aud` that make the token one for this server. */
  readonly audience: readonly string[];
}

/** Decides whether a token is an access token. ID tokens inform a client who signed in; they grant no access. */
export class TokenKind {
  private readonly appOnlyClients: ReadonlySet<string>;

  /** @param tokenUse the value that the claim `token_use` must have, if any */
  constructor(
    private readonly settings: AuthSettings,
    private readonly tokenUse: string | undefined,
  ) {
    this.appOnlyClients = new Set(settings.oidcAppOnlyClientIds.map((id) => id.toLowerCase()));
  }

  /** Refuses what is marked as another kind of token. */
  checkMarks(claims: Claims): void {
    if (this.tokenUse !== undefined && claims.token_use !== this.tokenUse) {
      throw new TokenRefusal('token_use', `token_use is ${quoted(claims.token_use)}, not "${this.tokenUse}"`);
    }
    const isMarked = claims.token_use === 'id' || MARKED_OTHER_TOKENS.has(String(claims.typ).toLowerCase());
    if (isMarked || (!this.settings.oidcAcceptIdTokens && hasIdTokenClaims(claims))) {
      throw new TokenRefusal('id_token', 'an ID token or refresh token is not an access token');
    }
  }

  /** Refuses what is not proven to be an access token: an unmarked ID token has no other property than to have no mark. */
  checkProof(token: VerifiedContents): void {
    const { claims } = token;
    if (isAppOnly(claims)) return this.checkApplication(claims);
    if (this.settings.oidcAcceptIdTokens || this.isForResource(token) || this.isProven(token)) return;
    const problem = 'nothing shows that the token is an access token';
    throw new TokenRefusal('unproven', `${problem}: its audience can be a client id, and it has no scopes and no mark`);
  }

  private checkApplication(claims: Claims): void {
    const clients = ['azp', 'appid'].flatMap((name) => texts(claims[name]));
    if (clients.some((id) => this.appOnlyClients.has(id.toLowerCase()))) return;
    const problem = `the token is of the application ${quoted(clients)} itself, without a person`;
    throw new TokenRefusal('app_only', `${problem}, and MCP_OIDC_APP_ONLY_CLIENT_IDS does not have it`);
  }

  /** An ID token is for the client that signed its user in, and never for an API. */
  private isForResource({ claims, audience }: VerifiedContents): boolean {
    const clients = ['azp', ...CLIENT_CLAIMS].flatMap((name) => texts(claims[name]));
    const ids = [...clients, this.settings.oauthClientId];
    return audience.some((name) => URI.test(name) && !ids.includes(name));
  }

  private isProven({ header, claims }: VerifiedContents): boolean {
    if (ACCESS_TOKEN_TYPES.has(String(header.typ).toLowerCase())) return true;
    if (MARKED_ACCESS_TOKENS.has(String(claims.typ).toLowerCase())) return true;
    // A required `token_use` was found.
    if (claims.token_use === 'access' || this.tokenUse !== undefined) return true;
    if (scopesOf(claims).length > 0) return true;
    const hasRights = listedIn(claims, this.settings.oidcRoleClaims).length > 0;
    const namesClient = CLIENT_CLAIMS.some((name) => text(claims, name) !== undefined);
    // Every ID token has `iat` (OpenID Connect Core §2).
    const cannotBeIdToken = claims.iat === undefined;
    const hasSignInClaims = SIGN_IN_CLAIMS.some((name) => claims[name] !== undefined);
    return (hasRights || namesClient || cannotBeIdToken) && !hasSignInClaims;
  }
}

/** Only ID tokens have hashes of a token or code; only they have a nonce without scopes. */
function hasIdTokenClaims(claims: Claims): boolean {
  const hashes = ['at_hash', 'c_hash', 's_hash'].some((name) => claims[name] !== undefined);
  return hashes || (claims.nonce !== undefined && scopesOf(claims).length === 0);
}

/**
 * A token that an application of Entra got for itself. Any application of the tenant can get one for this server unless
 * "assignment required" is on. Marked by `idtyp`, which is optional; without it by the client id and the lack of `scp`.
 */
function isAppOnly(claims: Claims): boolean {
  const mark = text(claims, 'idtyp')?.toLowerCase();
  if (mark !== undefined) return mark === 'app';
  const isOfEntra = text(claims, 'tid') !== undefined;
  const hasClient = text(claims, 'azp') !== undefined || text(claims, 'appid') !== undefined;
  return isOfEntra && hasClient && scopesOf(claims).length === 0;
}
