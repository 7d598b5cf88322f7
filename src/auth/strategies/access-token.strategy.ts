import { PassportStrategy } from '@nestjs/passport';
import { Strategy, type StrategyOptionsWithRequest, type VerifyCallbackWithRequest } from 'passport-jwt';
import { type AuthSettings } from '../../config/auth.settings.js';
import { TokenRefusal } from '../auth-refusals.js';
import { bearerTokenOf, type TokenRequest } from '../authenticated-request.js';
import { type Principal } from '../../context/principal.js';
import { type TrustedIssuers } from '../provider/trusted-issuers.js';
import { AccessTokens, type DecodedToken, LEEWAY_SECONDS } from '../tokens/access-tokens.js';
import { TokenRules } from '../tokens/token-rules.js';

/** The mode of `MCP_AUTH_MODE`, which is the name of the strategy. */
type Mode = 'oidc' | 'cognito';

/** passport-jwt, which verifies signature, issuer and times, with a memory of verified tokens before it. */
class RememberingJwtStrategy extends Strategy {
  override readonly name: string;

  constructor(
    mode: Mode,
    private readonly tokens: AccessTokens,
    settings: AuthSettings,
    verify: VerifyCallbackWithRequest,
  ) {
    super(options(tokens, settings), verify);
    this.name = mode;
  }

  override authenticate(request: TokenRequest, options?: unknown): void {
    const token = bearerTokenOf(request);
    if (token === undefined) return this.fail(new TokenRefusal('missing', 'no bearer token'), 401);
    const known = this.tokens.remembered(token);
    if (known) return this.success(known);
    // Typed for Express, but only the headers are read.
    super.authenticate(request as never, options);
  }
}

/** Access tokens (JWT) of an OpenID Connect or OAuth provider, or of an AWS Cognito user pool. */
export class AccessTokenStrategy extends PassportStrategy(RememberingJwtStrategy) {
  private readonly accessTokens: AccessTokens;

  /** @param resources the addresses of this server's MCP endpoint */
  constructor(mode: Mode, settings: AuthSettings, issuers: TrustedIssuers, resources: readonly string[]) {
    const isCognito = mode === 'cognito';
    // Cognito marks its access tokens with `token_use`.
    const tokenUse = isCognito ? 'access' : settings.oidcRequireTokenUse;
    const tokens = new AccessTokens(issuers, new TokenRules(settings, { tokenUse, resources, isCognito }));
    super(mode, tokens, settings);
    this.accessTokens = tokens;
  }

  /** Called by passport-jwt for a token with a good signature. A list is Passport's form of a refusal with its reason. */
  validate(request: TokenRequest, decoded: DecodedToken): Principal | [user: false, refusal: TokenRefusal] {
    try {
      return this.accessTokens.accept(bearerTokenOf(request) ?? '', decoded);
    } catch (error) {
      if (error instanceof TokenRefusal) return [false, error];
      throw error;
    }
  }
}

function options(tokens: AccessTokens, settings: AuthSettings): StrategyOptionsWithRequest {
  return {
    jwtFromRequest: (request: TokenRequest) => bearerTokenOf(request) ?? null,
    secretOrKeyProvider: (_request, token: string, done) => {
      // Typed for texts and buffers; jsonwebtoken takes key objects, and is twice as fast with them.
      tokens.keyOf(token).then(
        (key) => done(null, key as never),
        (error: unknown) => done(error),
      );
    },
    algorithms: [...settings.oidcAlgorithms],
    issuer: [...settings.oidcIssuers],
    // `complete`: `validate` receives the decoded header and payload, so that the token is not decoded again.
    jsonWebTokenOptions: { clockTolerance: LEEWAY_SECONDS, complete: true },
    passReqToCallback: true,
  };
}
