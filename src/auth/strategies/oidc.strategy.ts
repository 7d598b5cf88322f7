import { PassportStrategy } from '@nestjs/passport';
import { type AuthSettings } from '../../config/auth.settings.js';
import { type TrustedIssuers } from '../provider/trusted-issuers.js';
import { AccessTokens } from '../tokens/access-tokens.js';
import { TokenRules } from '../tokens/token-rules.js';
import { AccessTokenStrategy } from './access-token.strategy.js';
import { type TokenBearer, verdict, type Verdict } from './verdict.js';

/** Access tokens (JWT) of any OpenID Connect or OAuth provider. */
export class OidcStrategy extends PassportStrategy(AccessTokenStrategy, 'oidc') {
  private readonly accessTokens: AccessTokens;

  constructor(settings: AuthSettings, issuers: TrustedIssuers) {
    const tokens = new AccessTokens(issuers, new TokenRules(settings));
    super(tokens, settings.oidcAlgorithms, settings.oidcIssuers);
    this.accessTokens = tokens;
  }

  /** Called by passport-jwt when the signature is good. */
  validate(request: TokenBearer, claims: Record<string, unknown>): Verdict {
    return verdict(this.accessTokens, request, claims);
  }
}
