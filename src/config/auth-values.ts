import { type NamedToken } from './bearer-tokens.js';
import { Setting } from './setting.decorator.js';
import { TIERS } from './tiers.js';

/** Ways in which a caller can authenticate. */
const AUTH_MODES = ['bearer', 'oidc', 'cognito'] as const;
export type AuthMode = (typeof AUTH_MODES)[number];

/** Shorter tokens are accepted, as in the Python server, with a warning at start. In characters. */
export const SHORT_BEARER_TOKEN = 16;

/** Signatures by a key pair. Never `none` or HS*: anyone who knows the public key could make those. */
export const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512'] as const;
export type Algorithm = (typeof ALGORITHMS)[number];

/** Claims that name the audience: `aud` by the standards, the others for providers that omit it. */
const AUDIENCE_CLAIMS = ['aud', 'client_id', 'azp', 'cid', 'appid'] as const;

/** Names are compared as they are, so a pattern would never match. */
const NAME = { pattern: /^[^*]|^\*[^.@*]/, expected: 'names separated by commas, without patterns such as *' } as const;

/**
 * Addresses at which clients receive their codes: Claude.ai in the cloud; Claude Code, mcp-remote, the MCP Inspector and
 * others on the user's machine (any port). Addresses that only forward a code, and schemes that any program on a machine
 * can claim, are left to the operator.
 */
const CALLBACKS = [
  'https://claude.ai/api/mcp/auth_callback',
  'https://claude.com/api/mcp/auth_callback',
  'http://localhost/callback',
  'http://127.0.0.1/callback',
  'http://localhost/oauth/callback',
  'http://127.0.0.1/oauth/callback',
];

/** The declared settings of authentication. `AuthSettings` adds what they mean together and the checks across them. */
export class AuthValues {
  @Setting({
    env: 'MCP_AUTH_MODE',
    kind: { type: 'list', of: AUTH_MODES },
    default: [],
    example: 'oidc,bearer',
    summary:
      'Authentication of HTTP callers: `bearer` (tokens that you issue), `oidc` (access tokens of your identity provider), `cognito` (the same for AWS Cognito), or `bearer` with one of the others. Unset, the HTTP server refuses to start. See docs/authentication.md.',
  })
  readonly modes!: readonly AuthMode[];

  @Setting({
    env: 'MCP_ALLOW_INSECURE_NO_AUTH',
    kind: { type: 'boolean' },
    default: false,
    summary: 'Serve HTTP without any authentication. Anyone who can reach the port then acts with your Anthropic key.',
  })
  readonly allowInsecureNoAuth!: boolean;

  @Setting({
    env: 'MCP_BEARER_TOKEN',
    kind: { type: 'text', pattern: /^[\x21-\x7e]+$/, expected: 'printable ASCII without spaces' },
    secret: true,
    example: 'a-long-random-secret',
    summary: `The one token of mode \`bearer\`; use at least ${SHORT_BEARER_TOKEN} random characters.`,
  })
  readonly bearerToken?: string;

  @Setting({
    env: 'MCP_BEARER_TOKENS_FILE',
    kind: { type: 'text' },
    example: '/run/secrets/mcp-tokens.json',
    summary:
      'A JSON file with several tokens for mode `bearer`, each with a name, roles and scopes: `{"tokens": [{"name": "ci", "token": "...", "roles": ["operator"]}]}`. The name is in the audit.',
  })
  readonly bearerTokensFile?: string;

  @Setting({
    env: 'MCP_OIDC_ISSUER',
    kind: { type: 'urls' },
    default: [],
    example: 'https://idp.example.com/realms/company',
    summary:
      'Issuers whose access tokens are accepted, exactly as in the `iss` claim, trailing slash included. Clients are sent to the first one to sign in. Several tenants of Entra are listed one by one. `http` issuers of AD FS (`http://<host>/adfs/services/trust`) are read at `https://<host>/adfs`; another `http` issuer needs `MCP_OIDC_JWKS_URL`.',
  })
  readonly oidcIssuers!: readonly string[];

  @Setting({
    env: 'MCP_OIDC_JWKS_URL',
    kind: { type: 'urls' },
    default: [],
    defaultText: "from the issuer's discovery document",
    summary:
      "URLs of the signing keys, one for each issuer, in the same order. Unset, they come from the issuer's discovery document.",
  })
  readonly oidcJwksUrls!: readonly string[];

  @Setting({
    env: 'MCP_OIDC_AUDIENCE',
    kind: { type: 'list', each: NAME },
    default: [],
    example: 'https://mcp.example.com/mcp',
    summary:
      'Audiences, one of which a token must name: the URL of this server with `/mcp`, an API identifier, or client ids. A token for a client id must also be marked as an access token or have scopes: ID tokens have the same audience.',
  })
  readonly oidcAudience!: readonly string[];

  @Setting({
    env: 'MCP_OIDC_AUDIENCE_CLAIMS',
    kind: { type: 'list', of: AUDIENCE_CLAIMS },
    default: AUDIENCE_CLAIMS,
    example: 'aud',
    summary:
      'Claims one of which must name an audience of `MCP_OIDC_AUDIENCE`. With `aud` alone, a token that the same client received for another server is refused; set it whenever the provider sets `aud`.',
  })
  readonly oidcAudienceClaims!: readonly string[];

  @Setting({
    env: 'MCP_OIDC_REQUIRE_AUDIENCE',
    kind: { type: 'boolean' },
    default: true,
    summary:
      'When false, `MCP_OIDC_AUDIENCE` may be empty, and then every token of the issuer is accepted, for any application.',
  })
  readonly oidcRequireAudience!: boolean;

  @Setting({
    env: 'MCP_OIDC_ALGORITHMS',
    kind: { type: 'list', of: ALGORITHMS },
    default: ALGORITHMS,
    example: 'RS256,ES256',
    summary: 'Signature algorithms that are accepted.',
  })
  readonly oidcAlgorithms!: readonly Algorithm[];

  @Setting({
    env: 'MCP_OIDC_REQUIRE_TOKEN_USE',
    kind: { type: 'text' },
    example: 'access',
    summary: 'Required value of the `token_use` claim. Mode `cognito` always requires `access`.',
  })
  readonly oidcRequireTokenUse?: string;

  @Setting({
    env: 'MCP_OIDC_ACCEPT_ID_TOKENS',
    kind: { type: 'boolean' },
    default: false,
    summary:
      'For providers such as Dex, whose access tokens look like ID tokens: also accepts tokens that nothing shows to be access tokens (with a client id as audience, without scopes). The cost: an ID token is shown to the pages, logs and servers of the application a person signs in to, and each of them can then call as this person. Tokens marked as ID or refresh tokens stay refused.',
  })
  readonly oidcAcceptIdTokens!: boolean;

  @Setting({
    env: 'MCP_OIDC_APP_ONLY_CLIENT_IDS',
    kind: { type: 'list', each: NAME },
    default: [],
    example: '7c2e0000-0000-0000-0000-000000000000',
    summary:
      'Entra: client ids of applications that may call by themselves, without a person (app-only tokens, named by `azp` or `appid`). Any application of the tenant can get such a token for this server unless "assignment required" is on, so others are refused.',
  })
  readonly oidcAppOnlyClientIds!: readonly string[];

  @Setting({
    env: 'MCP_OIDC_SUBJECT_CLAIMS',
    kind: { type: 'list' },
    default: ['sub', 'username', 'cognito:username'],
    example: 'oid,sub',
    summary:
      'Claims with the name of the caller, written like `MCP_OIDC_ROLE_CLAIMS`; the first that a token has becomes the subject of bindings, ownership, limits and audit. A name that the provider can give to another person later (`preferred_username`, `upn`) hands over sessions and rights with it; `oid` of Entra and `sub` stay. With `email_verified: false`, e-mail addresses do not count as names.',
  })
  readonly oidcSubjectClaims!: readonly string[];

  @Setting({
    env: 'MCP_OIDC_EMAIL_CLAIMS',
    kind: { type: 'list' },
    default: ['email'],
    example: 'email,upn',
    summary:
      'Claims with the e-mail address of the caller; the first that a token has is used. Addresses that the token marks as unverified (`email_verified: false`; `email` of Entra without `xms_edov`) are ignored.',
  })
  readonly oidcEmailClaims!: readonly string[];

  @Setting({
    env: 'MCP_OIDC_ALLOWED_PRINCIPALS',
    kind: { type: 'list', each: NAME },
    default: [],
    example: 'alice@example.com,bob@example.com',
    summary:
      'Who may call: values of the claims in `MCP_OIDC_SUBJECT_CLAIMS` and `MCP_OIDC_EMAIL_CLAIMS` (addresses that are not marked as unverified), in any case. With several issuers an entry holds for the first one; `<issuer>|<name>` is a caller of another. Empty means everyone to whom the issuer gives a token for the audience.',
  })
  readonly oidcAllowedPrincipals!: readonly string[];

  @Setting({
    env: 'MCP_OIDC_ROLE_CLAIMS',
    kind: { type: 'list' },
    default: ['roles'],
    example: 'realm_access.roles',
    summary:
      'Claims with the roles of the caller: names such as `https://example.com/roles`, dotted paths such as `realm_access.roles` (names in a path may have dots), or JSON pointers such as `/resource_access/https:~1~1mcp.example.com~1mcp/roles`.',
  })
  readonly oidcRoleClaims!: readonly string[];

  @Setting({
    env: 'MCP_OIDC_GROUP_CLAIMS',
    kind: { type: 'list' },
    default: ['groups', 'cognito:groups'],
    summary: 'Claims with the groups of the caller, written like `MCP_OIDC_ROLE_CLAIMS`.',
  })
  readonly oidcGroupClaims!: readonly string[];

  @Setting({
    env: 'MCP_REQUIRED_SCOPES',
    kind: { type: 'list' },
    default: [],
    example: 'mcp:use',
    summary: 'Scopes that every token must have. A token without them gets 403 `insufficient_scope`, which names them.',
  })
  readonly requiredScopes!: readonly string[];

  @Setting({
    env: 'MCP_TIER_SCOPES',
    kind: { type: 'list' },
    default: [],
    example: 'start=mcp:run,interact=mcp:run,destructive=mcp:admin',
    summary: `Further scopes that calling a tool of a tier needs, as \`tier=scope\` (repeat a tier for several scopes). Tiers: ${TIERS.join(', ')}.`,
  })
  readonly tierScopes!: readonly string[];

  @Setting({
    env: 'MCP_OAUTH_SCOPES',
    kind: { type: 'list' },
    default: ['openid', 'email', 'profile'],
    example: 'openid,email,profile',
    emptyMeansNone: true,
    summary:
      'Scopes that clients ask for when their users sign in, besides the required ones; set but empty, none. Must not have `offline_access`, which clients add themselves when the provider offers it.',
  })
  readonly oauthScopes!: readonly string[];

  @Setting({
    env: 'MCP_COGNITO_HOSTED_UI',
    kind: { type: 'url' },
    example: 'https://company.auth.eu-west-1.amazoncognito.com',
    summary: 'Mode `cognito`: the domain of the user pool (managed login or hosted UI), where users sign in.',
  })
  readonly cognitoHostedUi?: string;

  @Setting({
    env: 'MCP_OAUTH_FACADE',
    kind: { type: 'boolean' },
    default: false,
    summary:
      'Mode `oidc`: act as the authorization server in front of one that lacks what MCP clients need (registration, or S256 in its metadata), such as Microsoft Entra. Always on in mode `cognito`.',
  })
  readonly oauthFacade!: boolean;

  @Setting({
    env: 'MCP_OAUTH_CLIENT_ID',
    kind: { type: 'text', pattern: /^[\x21-\x7e]{1,256}$/, expected: 'printable ASCII without spaces' },
    example: '6f1c0d0e-0000-0000-0000-000000000000',
    summary: 'The facade: the client id that you created at the provider; every client that registers receives it.',
  })
  readonly oauthClientId?: string;

  @Setting({
    env: 'MCP_OAUTH_CLIENT_SECRET',
    kind: { type: 'text', pattern: /^[\x21-\x7e]+$/, expected: 'printable ASCII without spaces' },
    secret: true,
    summary:
      'The facade: secret of `MCP_OAUTH_CLIENT_ID`, if the provider issued one. The server adds it to token requests for the provider; clients never see it.',
  })
  readonly oauthClientSecret?: string;

  @Setting({
    env: 'MCP_OAUTH_REDIRECT_URIS',
    kind: { type: 'list' },
    default: CALLBACKS,
    summary:
      'The facade: addresses to which codes may be sent, compared exactly; `http://localhost`, `http://127.0.0.1` and `http://[::1]` match with any port. The log names an address that was refused; docs/authentication.md lists those of Cursor and VS Code.',
  })
  readonly oauthRedirectUris!: readonly string[];

  @Setting({
    env: 'MCP_OAUTH_STRIP_RESOURCE',
    kind: { type: 'boolean' },
    default: false,
    summary: 'The facade: remove the `resource` parameter from requests to a provider that rejects it, such as Entra.',
  })
  readonly oauthStripResource!: boolean;

  /** The entries of `MCP_BEARER_TOKENS_FILE`, after the check of the settings has read it. */
  namedTokens: readonly NamedToken[] = [];

  /** Whether callers sign in at an identity provider. */
  get usesProvider(): boolean {
    return this.modes.includes('oidc') || this.modes.includes('cognito');
  }

  /** Whether this server acts as the authorization server in front of the provider. */
  get hasFacade(): boolean {
    return this.modes.includes('cognito') || (this.modes.includes('oidc') && this.oauthFacade);
  }
}
