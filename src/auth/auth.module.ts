import { Logger, Module, type OnApplicationBootstrap } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { PassportModule } from '@nestjs/passport';
import { AuthSettings } from '../config/auth.settings.js';
import { SHORT_BEARER_TOKEN } from '../config/auth-values.js';
import { ServerSettings } from '../config/server.settings.js';
import { AuthRefusals } from './auth-refusals.js';
import { Challenges } from './discovery/challenges.js';
import { ProtectedResourceController } from './discovery/protected-resource.controller.js';
import { PublicUrl } from './discovery/public-url.js';
import { HttpAuthGuard } from './http-auth.guard.js';
import { SigningKeyPrefetch, TrustedIssuers } from './provider/trusted-issuers.js';
import { NamedStrategies, STRATEGIES } from './strategies/strategies.js';

/** Inbound authentication: identifies the caller, and publishes how a client signs in. */
@Module({
  imports: [PassportModule],
  controllers: [ProtectedResourceController],
  providers: [
    TrustedIssuers,
    AuthRefusals,
    SigningKeyPrefetch,
    PublicUrl,
    Challenges,
    {
      provide: STRATEGIES,
      inject: [AuthSettings, TrustedIssuers, ServerSettings],
      useFactory: (settings: AuthSettings, issuers: TrustedIssuers, { publicUrl }: ServerSettings) =>
        NamedStrategies.create(settings, issuers, publicUrl),
    },
    HttpAuthGuard,
    { provide: APP_GUARD, useExisting: HttpAuthGuard },
  ],
  exports: [Challenges, PublicUrl, TrustedIssuers, AuthRefusals],
})
export class AuthModule implements OnApplicationBootstrap {
  private readonly logger = new Logger('Auth');

  constructor(private readonly settings: AuthSettings) {}

  /** Warns about unsafe settings. */
  onApplicationBootstrap(): void {
    const { modes, bearerToken, usesProvider, oidcAudience, oidcAcceptIdTokens } = this.settings;
    if (modes.length === 0) {
      this.logger.warn(
        'NO AUTHENTICATION: MCP_ALLOW_INSECURE_NO_AUTH=true. Anyone who can reach this port acts with your Anthropic key.',
      );
    }
    if (modes.includes('bearer') && bearerToken !== undefined && bearerToken.length < SHORT_BEARER_TOKEN) {
      this.logger.warn(`MCP_BEARER_TOKEN is short; use at least ${SHORT_BEARER_TOKEN} random characters.`);
    }
    if (usesProvider && oidcAudience.length === 0) {
      this.logger.warn('MCP_OIDC_REQUIRE_AUDIENCE=false: tokens for any application of the issuer are accepted.');
    }
    if (usesProvider && oidcAcceptIdTokens) {
      this.logger.warn('MCP_OIDC_ACCEPT_ID_TOKENS=true: whoever holds an ID token for the audience can call.');
    }
  }
}
