import { createHash, timingSafeEqual } from 'node:crypto';
import { type IncomingHttpHeaders } from 'node:http';
import { PassportStrategy } from '@nestjs/passport';
import { Strategy } from 'passport';
import { type AuthSettings } from '../../config/auth.settings.js';
import { STATIC_BEARER } from '../../config/bearer-tokens.js';
import { type Principal } from '../../context/principal.js';
import { bearerTokenOf } from '../bearer-token.js';

interface Holder {
  readonly digest: Buffer;
  readonly principal: Principal;
}

/** Passport strategy: tokens the operator handed out, compared in constant time. */
class StaticBearerStrategy extends Strategy {
  constructor(private readonly holders: readonly Holder[]) {
    super();
  }

  override authenticate(request: { headers: IncomingHttpHeaders }): void {
    const token = bearerTokenOf(request);
    if (token === undefined) return this.fail('no bearer token');
    const given = digest(token);
    // Every holder is compared, so that the time taken does not tell which one came close.
    const matching = this.holders.filter((holder) => timingSafeEqual(given, holder.digest));
    const [holder] = matching;
    if (!holder) return this.fail('unknown bearer token');
    this.success(holder.principal);
  }
}

/** Both sides are hashed, so that neither content nor length of a secret shows in the time a comparison takes. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** The token of `MCP_BEARER_TOKEN` and those of `MCP_BEARER_TOKENS_FILE`. */
export class BearerStrategy extends PassportStrategy(StaticBearerStrategy, 'bearer') {
  constructor({ bearerToken, namedTokens }: AuthSettings) {
    const single = bearerToken === undefined ? [] : [{ name: STATIC_BEARER, token: bearerToken }];
    super([...single, ...namedTokens].map(holderOf));
  }

  /** Not called by the strategy above, which knows its principals; required by the mixin. */
  validate(): never {
    throw new Error('the bearer strategy decides by itself');
  }
}

function holderOf(entry: { name: string; token: string; roles?: string[]; scopes?: string[] }): Holder {
  const { name, token, roles = [], scopes = [] } = entry;
  return { digest: digest(token), principal: { subject: name, issuer: 'bearer', roles, groups: [], scopes } };
}
