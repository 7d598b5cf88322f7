import { hash, timingSafeEqual } from 'node:crypto';
import { PassportStrategy } from '@nestjs/passport';
import { Strategy } from 'passport';
import { type AuthSettings } from '../../config/auth.settings.js';
import { STATIC_BEARER } from '../../config/bearer-tokens.js';
import { TokenRefusal } from '../auth-refusals.js';
import { bearerTokenOf, type TokenRequest } from '../authenticated-request.js';
import { type Principal } from '../../context/principal.js';

interface Holder {
  readonly digest: Buffer;
  readonly principal: Principal;
}

/** Passport strategy for tokens that the operator issues, compared in constant time. */
class StaticBearerStrategy extends Strategy {
  constructor(private readonly holders: readonly Holder[]) {
    super();
  }

  override authenticate(request: TokenRequest): void {
    const token = bearerTokenOf(request);
    if (token === undefined) return this.fail(new TokenRefusal('missing', 'no bearer token'));
    const given = digest(token);
    // Every holder is compared, so that the duration does not reveal which token was similar.
    const matching = this.holders.filter((holder) => timingSafeEqual(given, holder.digest));
    const [holder] = matching;
    if (!holder) return this.fail(new TokenRefusal('unknown_token', 'unknown bearer token'));
    this.success(holder.principal);
  }
}

/** Both sides are hashed, so that the duration of a comparison reveals neither content nor length of a secret. */
function digest(text: string): Buffer {
  return hash('sha256', text, 'buffer');
}

/** The token of `MCP_BEARER_TOKEN` and those of `MCP_BEARER_TOKENS_FILE`. */
export class BearerStrategy extends PassportStrategy(StaticBearerStrategy, 'bearer') {
  constructor({ bearerToken, namedTokens }: AuthSettings) {
    const single = bearerToken === undefined ? [] : [{ name: STATIC_BEARER, token: bearerToken }];
    super([...single, ...namedTokens].map(holderOf));
  }

  /** Required by the mixin, but not called: the strategy above has the principals. */
  validate(): never {
    throw new Error('validate is not used by the bearer strategy');
  }
}

function holderOf(entry: { name: string; token: string; roles?: string[]; scopes?: string[] }): Holder {
  const { name, token, roles = [], scopes = [] } = entry;
  return { digest: digest(token), principal: { subject: name, issuer: 'bearer', roles, groups: [], scopes } };
}
