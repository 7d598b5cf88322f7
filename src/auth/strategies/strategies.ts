import { type AuthMode, type AuthSettings } from '../../config/auth.settings.js';
import { looksLikeJwt } from '../../config/bearer-tokens.js';
import { type TrustedIssuers } from '../provider/trusted-issuers.js';
import { BearerStrategy } from './bearer.strategy.js';
import { type TokenBearer } from './verdict.js';

export const STRATEGIES = Symbol('authentication strategies');

/** A Passport strategy that looks at nothing but the token. */
export interface TokenStrategy {
  authenticate(request: TokenBearer): void;
}

/** The mode that can judge a token; none only where the operator switched authentication off. */
export function modeFor(token: string, modes: readonly AuthMode[]): AuthMode | undefined {
  const jwt = modes.find((mode) => mode !== 'bearer');
  if (!jwt || !modes.includes('bearer')) return modes[0];
  return looksLikeJwt(token) ? jwt : 'bearer';
}

/** The strategies of `MCP_AUTH_MODE`. Each registers itself with Passport when it is made, so only those are. */
export class NamedStrategies {
  private constructor(private readonly byMode: ReadonlyMap<AuthMode, TokenStrategy>) {}

  static async create(settings: AuthSettings, issuers: TrustedIssuers): Promise<NamedStrategies> {
    const byMode = new Map<AuthMode, TokenStrategy>();
    for (const mode of settings.modes) byMode.set(mode, await make(mode, settings, issuers));
    return new NamedStrategies(byMode);
  }

  for(token: string): TokenStrategy | undefined {
    const mode = modeFor(token, [...this.byMode.keys()]);
    return mode && this.byMode.get(mode);
  }
}

/** What reads JWTs is loaded on demand: stdio and bearer tokens need not wait for it. */
async function make(mode: AuthMode, settings: AuthSettings, issuers: TrustedIssuers): Promise<TokenStrategy> {
  switch (mode) {
    case 'bearer':
      return new BearerStrategy(settings);
    case 'oidc':
      return new (await import('./oidc.strategy.js')).OidcStrategy(settings, issuers);
    case 'cognito':
      return new (await import('./cognito.strategy.js')).CognitoStrategy(settings, issuers);
  }
}
