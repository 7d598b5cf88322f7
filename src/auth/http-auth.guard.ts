import { type CanActivate, type ExecutionContext, Injectable, Logger } from '@nestjs/common';
import { AuthGuard } from '@nestjs/passport';
import { type AuthMode } from '../config/auth-values.js';
import { AuthSettings } from '../config/auth.settings.js';
import { attachPrincipal, type AuthenticatedRequest, bearerTokenOf } from './authenticated-request.js';
import { AuthRefusals, KeysUnavailable, refusalOf } from './auth-refusals.js';
import { AuthenticationUnavailableError, Challenges } from './discovery/challenges.js';
import { ANONYMOUS_PRINCIPAL, type Principal } from '../context/principal.js';
import { isPublic } from './public.decorator.js';

/**
 * Every HTTP route passes this global guard, so that a forgotten decorator opens nothing. Each token is checked by exactly
 * one strategy of `MCP_AUTH_MODE`. Nest runs guards after the body was parsed; `authenticateBeforeBody` runs this one
 * earlier, and Nest's own run then finds the principal on the request.
 */
@Injectable()
export class HttpAuthGuard implements CanActivate {
  private readonly logger = new Logger('Auth');
  private readonly guards: ReadonlyMap<AuthMode, CanActivate>;

  constructor(
    private readonly settings: AuthSettings,
    private readonly challenges: Challenges,
    private readonly refusals: AuthRefusals,
  ) {
    this.guards = new Map(settings.modes.map((mode) => [mode, this.guardOf(mode)]));
  }

  async canActivate(context: ExecutionContext): Promise<boolean> {
    if (context.getType() !== 'http') return true;
    const request = context.switchToHttp().getRequest<AuthenticatedRequest>();
    if (isPublic(request.routeOptions.config) || request.raw.user) return true;
    const guard = this.guardFor(request);
    if (!guard) {
      attachPrincipal(request, ANONYMOUS_PRINCIPAL);
      return true;
    }
    await guard.canActivate(context);
    attachPrincipal(request, request.user as Principal);
    return true;
  }

  private guardFor(request: AuthenticatedRequest): CanActivate | undefined {
    const mode = this.settings.modeFor(bearerTokenOf(request) ?? '');
    return mode && this.guards.get(mode);
  }

  private guardOf(mode: AuthMode): CanActivate {
    const refuse = (info: unknown, context: ExecutionContext) => this.refusal(info, context);
    const guard = class extends AuthGuard(mode) {
      override handleRequest<T>(error: unknown, user: T | false, info: unknown, context: ExecutionContext): T {
        if (error) throw error as Error;
        if (user) return user;
        throw refuse(info, context);
      }
    };
    return new guard();
  }

  /** The reason is only logged; the caller does not learn it. */
  private refusal(info: unknown, context: ExecutionContext): Error {
    const refusal = refusalOf(info);
    this.refusals.count(refusal);
    this.logger.warn(`request refused: ${refusal.message}`);
    if (refusal instanceof KeysUnavailable) return new AuthenticationUnavailableError(refusal.retryAfterSeconds);
    return this.challenges.authenticate(context.switchToHttp().getRequest<AuthenticatedRequest>());
  }
}
