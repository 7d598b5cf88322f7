import { type CanActivate, type ExecutionContext, Injectable, Logger } from '@nestjs/common';
import { AuthGuard } from '@nestjs/passport';
import { type AuthMode, AuthSettings } from '../config/auth.settings.js';
import { ANONYMOUS_PRINCIPAL, type Principal } from '../context/principal.js';
import { attachPrincipal, type AuthenticatedRequest } from './authenticated-request.js';
import { AuthRefusals } from './auth-refusals.js';
import { bearerTokenOf } from './bearer-token.js';
import { Challenges } from './discovery/challenges.js';
import { isPublic } from './public.decorator.js';
import { modeFor } from './strategies/strategies.js';

/**
 * Every HTTP route goes through this global guard; there is no way around it by forgetting a decorator. A token is
 * judged by the one strategy of `MCP_AUTH_MODE` that can judge it.
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
    if (context.getType() !== 'http' || isPublic(context.getHandler())) return true;
    const request = context.switchToHttp().getRequest<AuthenticatedRequest>();
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
    const mode = modeFor(bearerTokenOf(request) ?? '', this.settings.modes);
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

  /** The reason a token failed goes to the log only. */
  private refusal(info: unknown, context: ExecutionContext): Error {
    this.refusals.count(info);
    this.logger.warn(`request refused: ${info instanceof Error ? info.message : String(info)}`);
    return this.challenges.authenticate(context.switchToHttp().getRequest<AuthenticatedRequest>());
  }
}
