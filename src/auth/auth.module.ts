import { Logger, Module, type OnApplicationBootstrap } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { PassportModule } from '@nestjs/passport';
import { AuthSettings, SHORT_BEARER_TOKEN } from '../config/auth.settings.js';
import { AuthRefusals } from './auth-refusals.js';
import { Challenges } from './discovery/challenges.js';
import { ProtectedResourceController } from './discovery/protected-resource.controller.js';
import { PublicUrl } from './discovery/public-url.js';
import { FacadeController } from './facade/facade.controller.js';
import { FacadeMetadataController } from './facade/facade-metadata.controller.js';
import { TokenProxy } from './facade/token-proxy.js';
import { UpstreamProvider } from './facade/upstream-provider.js';
import { HttpAuthGuard } from './http-auth.guard.js';
import { FirstKeys } from './provider/first-keys.js';
import { TrustedIssuers } from './provider/trusted-issuers.js';
import { NamedStrategies, STRATEGIES } from './strategies/strategies.js';

/** Inbound authentication: who is calling, and how a client finds out how to sign in. */
@Module({
  imports: [PassportModule],
  controllers: [ProtectedResourceController, FacadeMetadataController, FacadeController],
  providers: [
    TrustedIssuers,
    AuthRefusals,
    FirstKeys,
    PublicUrl,
    Challenges,
    UpstreamProvider,
    TokenProxy,
    {
      provide: STRATEGIES,
      inject: [AuthSettings, TrustedIssuers],
      useFactory: (settings: AuthSettings, issuers: TrustedIssuers) => NamedStrategies.create(settings, issuers),
    },
    { provide: APP_GUARD, useClass: HttpAuthGuard },
  ],
  exports: [Challenges, TrustedIssuers, AuthRefusals],
})
export class AuthModule implements OnApplicationBootstrap {
  private readonly logger = new Logger('Auth');

  constructor(private readonly settings: AuthSettings) {}

  /** Unsafe choices announce themselves. */
  onApplicationBootstrap(): void {
    const { modes, bearerToken, usesProvider, oidcAudience } = this.settings;
    if (modes.length === 0) {
      this.logger.warn(
        'NO AUTHENTICATION: MCP_ALLOW_INSECURE_NO_AUTH=true. Anyone who reaches this port acts with your Anthropic key.',
      );
    }
    if (modes.includes('bearer') && bearerToken !== undefined && bearerToken.length < SHORT_BEARER_TOKEN) {
      this.logger.warn(`MCP_BEARER_TOKEN is short; use at least ${SHORT_BEARER_TOKEN} random characters.`);
    }
    if (usesProvider && oidcAudience.length === 0) {
      this.logger.warn('MCP_OIDC_REQUIRE_AUDIENCE=false: tokens for any application of the issuer are accepted.');
    }
  }
}
