import { Logger, Module, type OnApplicationBootstrap } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { PassportModule } from '@nestjs/passport';
import { AuthSettings, SHORT_BEARER_TOKEN } from '../config/auth.settings.js';
import { HttpAuthGuard } from './http-auth.guard.js';
import { BearerStrategy } from './strategies/bearer.strategy.js';

/**
 * Inbound authentication. A strategy registers itself with Passport when it is instantiated, so only those of
 * `MCP_AUTH_MODE` are: oidc and cognito take their place beside bearer here.
 */
@Module({
  imports: [PassportModule],
  providers: [
    {
      provide: 'auth strategies',
      inject: [AuthSettings],
      useFactory: (settings: AuthSettings) => settings.modes.includes('bearer') && new BearerStrategy(settings),
    },
    { provide: APP_GUARD, useClass: HttpAuthGuard },
  ],
})
export class AuthModule implements OnApplicationBootstrap {
  private readonly logger = new Logger('Auth');

  constructor(private readonly settings: AuthSettings) {}

  /** Unsafe choices announce themselves. */
  onApplicationBootstrap(): void {
    if (this.settings.modes.length === 0) {
      this.logger.warn(
        'NO AUTHENTICATION: MCP_ALLOW_INSECURE_NO_AUTH=true. Anyone who reaches this port acts with your Anthropic key.',
      );
    } else if (this.settings.bearerToken !== undefined && this.settings.bearerToken.length < SHORT_BEARER_TOKEN) {
      this.logger.warn(`MCP_BEARER_TOKEN is short; use at least ${SHORT_BEARER_TOKEN} random characters.`);
    }
  }
}
