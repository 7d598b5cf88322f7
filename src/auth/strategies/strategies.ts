import { type AuthMode } from '../../config/auth-values.js';
import { type AuthSettings } from '../../config/auth.settings.js';
import { type TokenRequest } from '../authenticated-request.js';
import { type TrustedIssuers } from '../provider/trusted-issuers.js';
import { BearerStrategy } from './bearer.strategy.js';

export const STRATEGIES = Symbol('authentication strategies');

/** A Passport strategy that reads nothing but the token. */
export interface TokenStrategy {
  authenticate(request: TokenRequest): void;
}

/** The strategies of `MCP_AUTH_MODE`. A strategy registers itself with Passport when it is made, so only these are made. */
export class NamedStrategies {
  private constructor(
    private readonly settings: AuthSettings,
    private readonly byMode: ReadonlyMap<AuthMode, TokenStrategy>,
  ) {}

  /** @param publicUrl the address of this server, where it is configured */
  static async create(settings: AuthSettings, issuers: TrustedIssuers, publicUrl?: string): Promise<NamedStrategies> {
    const resources = publicUrl === undefined ? [] : [`${publicUrl}/mcp`, `${publicUrl}/mcp/readonly`];
    const byMode = new Map<AuthMode, TokenStrategy>();
    for (const mode of settings.modes) byMode.set(mode, await make(mode, settings, issuers, resources));
    return new NamedStrategies(settings, byMode);
  }

  /** The strategy that judges this token; undefined only where the operator switched authentication off. */
  for(token: string): TokenStrategy | undefined {
    const mode = this.settings.modeFor(token);
    return mode && this.byMode.get(mode);
  }
}

/** The libraries for JWTs are loaded on demand: stdio and bearer tokens do not need them. */
async function make(
  mode: AuthMode,
  settings: AuthSettings,
  issuers: TrustedIssuers,
  resources: readonly string[],
): Promise<TokenStrategy> {
  if (mode === 'bearer') return new BearerStrategy(settings);
  const { AccessTokenStrategy } = await import('./access-token.strategy.js');
  return new AccessTokenStrategy(mode, settings, issuers, resources);
}
