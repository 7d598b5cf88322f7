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

/** Addresses at which Claude receives its codes: Claude.ai in the cloud, Claude Code on the user's machine (any port). */
const CLAUDE_CALLBACKS = [
  'https://claude.ai/api/mcp/auth_callback',
  'https://claude.com/api/mcp/auth_callback',
  'http://localhost/callback',
  'http://127.0.0.1/callback',
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
      'Issuers whose access tokens are accepted, exactly as in the `iss` claim, trailing slash included. Clients are sent to the first one to sign in.',
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
    kind: { type: 'list' },
    default: [],
    example: 'https://mcp.example.com/mcp',
    summary: 'Audiences, one of which a token must name: the URL of this server, an API identifier, or client ids.',
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
    env: 'MCP_OIDC_ALLOWED_PRINCIPALS',
    kind: { type: 'list' },
    default: [],
    example: 'alice@example.com,bob@example.com',
    summary:
      'Who may call: values of `sub`, `username` or `email` (when it is not marked as unverified), in any case. Empty means everyone to whom the issuer gives a token for the audience.',
  })
  readonly oidcAllowedPrincipals!: readonly string[];

  @Setting({
    env: 'MCP_OIDC_ROLE_CLAIMS',
    kind: { type: 'list' },
    default: ['roles'],
    example: 'realm_access.roles',
    summary: 'Claims with the roles of the caller: names such as `https://example.com/roles`, or dotted paths.',
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
    default: CLAUDE_CALLBACKS,
    summary:
      'The facade: addresses to which codes may be sent, compared exactly; `http://localhost`, `http://127.0.0.1` and `http://[::1]` match with any port.',
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
