import { type Entry, type Problem, type Section } from './read-settings.js';
import { Setting } from './setting.decorator.js';

/** Ways a caller can prove who it is. */
export const AUTH_MODES = ['bearer', 'oidc', 'cognito'] as const;
export type AuthMode = (typeof AUTH_MODES)[number];

const AVAILABLE_MODES: readonly AuthMode[] = ['bearer'];
/** Shorter tokens work, as in the Python server, but are announced at start. */
export const SHORT_BEARER_TOKEN = 16;

/** Inbound: how MCP clients authenticate to this server. stdio needs none of it. */
export class AuthSettings implements Section {
  static readonly title = 'Inbound: who may call (HTTP only)';

  @Setting({
    env: 'MCP_AUTH_MODE',
    kind: { type: 'list', of: AUTH_MODES },
    default: [],
    example: 'bearer',
    summary:
      'Authentication of HTTP callers. `bearer` is available; `oidc` and `cognito` come with the next release. Unset, the HTTP server refuses to start.',
  })
  readonly modes!: readonly AuthMode[];

  @Setting({
    env: 'MCP_ALLOW_INSECURE_NO_AUTH',
    kind: { type: 'boolean' },
    default: false,
    summary: 'Serve HTTP without any authentication. Anyone who reaches the port then acts with your Anthropic key.',
  })
  readonly allowInsecureNoAuth!: boolean;

  @Setting({
    env: 'MCP_BEARER_TOKEN',
    kind: { type: 'text', pattern: /^[\x21-\x7e]+$/, expected: 'printable ASCII without spaces' },
    secret: true,
    example: 'a-long-random-secret',
    summary: `The token of mode \`bearer\`; use at least ${SHORT_BEARER_TOKEN} random characters.`,
  })
  readonly bearerToken?: string;

  @Setting({
    env: 'MCP_OIDC_ISSUER',
    kind: { type: 'url' },
    example: 'https://idp.example.com/realms/company',
    summary: 'Next release: issuer whose tokens are accepted.',
  })
  readonly oidcIssuer?: string;

  @Setting({
    env: 'MCP_OIDC_JWKS_URL',
    kind: { type: 'url' },
    summary: "Next release: the issuer's signing keys.",
  })
  readonly oidcJwksUrl?: string;

  @Setting({
    env: 'MCP_OIDC_AUDIENCE',
    kind: { type: 'list' },
    default: [],
    summary: 'Next release: audiences a token must be for.',
  })
  readonly oidcAudience!: readonly string[];

  @Setting({
    env: 'MCP_OIDC_REQUIRE_AUDIENCE',
    kind: { type: 'boolean' },
    default: true,
    summary: 'Next release: whether a token must name one of the audiences.',
  })
  readonly oidcRequireAudience!: boolean;

  @Setting({
    env: 'MCP_OIDC_ALLOWED_PRINCIPALS',
    kind: { type: 'list' },
    default: [],
    summary: 'Next release: subjects or e-mail addresses that may call; empty means all.',
  })
  readonly oidcAllowedPrincipals!: readonly string[];

  @Setting({
    env: 'MCP_OIDC_REQUIRE_TOKEN_USE',
    kind: { type: 'text' },
    example: 'access',
    summary: 'Next release: required `token_use` claim.',
  })
  readonly oidcRequireTokenUse?: string;

  @Setting({
    env: 'MCP_COGNITO_HOSTED_UI',
    kind: { type: 'url' },
    example: 'https://company.auth.eu-west-1.amazoncognito.com',
    summary: 'Next release: hosted UI of the Cognito user pool.',
  })
  readonly cognitoHostedUi?: string;

  check(entry: Entry): Problem[] {
    if (entry === 'stdio') return [];
    const problems = this.modes
      .filter((mode) => !AVAILABLE_MODES.includes(mode))
      .map((mode) => ({
        env: 'MCP_AUTH_MODE',
        message: `"${mode}" comes with the next release; use bearer until then`,
      }));
    if (this.modes.length === 0 && !this.allowInsecureNoAuth) {
      problems.push({
        env: 'MCP_AUTH_MODE',
        message:
          'is missing: without it anyone who reaches the port could use your Anthropic key. Set MCP_AUTH_MODE=bearer and MCP_BEARER_TOKEN, or MCP_ALLOW_INSECURE_NO_AUTH=true on a trusted network',
      });
    }
    if (this.modes.includes('bearer')) problems.push(...this.checkBearerToken());
    return problems;
  }

  private checkBearerToken(): Problem[] {
    if (this.bearerToken === undefined) {
      return [
        { env: 'MCP_BEARER_TOKEN', message: 'is missing; MCP_AUTH_MODE=bearer needs it (or MCP_BEARER_TOKEN_FILE)' },
      ];
    }
    return [];
  }
}
