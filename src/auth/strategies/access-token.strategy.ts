import { Strategy, type StrategyOptionsWithRequest, type VerifyCallbackWithRequest } from 'passport-jwt';
import { type Algorithm } from '../../config/auth.settings.js';
import { bearerTokenOf } from '../bearer-token.js';
import { type AccessTokens, LEEWAY_SECONDS } from '../tokens/access-tokens.js';
import { type TokenBearer } from './verdict.js';

/** What the JWT strategies have in common: passport-jwt checks signature, issuer and times, `AccessTokens` the rest. */
export class AccessTokenStrategy extends Strategy {
  constructor(
    private readonly tokens: AccessTokens,
    algorithms: readonly Algorithm[],
    issuers: readonly string[],
    verify: VerifyCallbackWithRequest,
  ) {
    super(options(tokens, algorithms, issuers), verify);
  }

  override authenticate(request: TokenBearer, options?: unknown): void {
    const token = bearerTokenOf(request);
    const known = token === undefined ? undefined : this.tokens.remembered(token);
    if (known) return this.success(known);
    // Typed for Express, but only the headers are read.
    super.authenticate(request as never, options);
  }
}

function options(
  tokens: AccessTokens,
  algorithms: readonly Algorithm[],
  issuers: readonly string[],
): StrategyOptionsWithRequest {
  return {
    jwtFromRequest: (request: TokenBearer) => bearerTokenOf(request) ?? null,
    secretOrKeyProvider: (_request, token: string, done) => {
      // Typed for texts and buffers; jsonwebtoken takes key objects, and is twice as fast with them.
      tokens.keyOf(token).then(
        (key) => done(null, key as never),
        (error: unknown) => done(error),
      );
    },
    algorithms: [...algorithms],
    issuer: [...issuers],
    jsonWebTokenOptions: { clockTolerance: LEEWAY_SECONDS },
    passReqToCallback: true,
  };
}
