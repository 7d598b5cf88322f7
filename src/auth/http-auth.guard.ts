import { type CanActivate, type ExecutionContext, Injectable, Logger } from '@nestjs/common';
import { AuthGuard } from '@nestjs/passport';
import { AuthSettings } from '../config/auth.settings.js';
import { AuthenticationError } from './authentication.error.js';
import { attachPrincipal, type AuthenticatedRequest } from './authenticated-request.js';
import { ANONYMOUS_PRINCIPAL, type Principal } from './principal.js';

const REALM = 'realm="managed-agent-control"';

/**
 * Every HTTP route goes through this global guard; there is no way around it by forgetting a decorator. The strategies
 * of `MCP_AUTH_MODE` are asked in order.
 */
@Injectable()
export class HttpAuthGuard implements CanActivate {
  private readonly logger = new Logger('Auth');
  private readonly strategies?: CanActivate;

  constructor(settings: AuthSettings) {
    if (settings.modes.length > 0) this.strategies = new (strategiesGuard([...settings.modes], this.logger))();
  }

  async canActivate(context: ExecutionContext): Promise<boolean> {
    if (context.getType() !== 'http') return true;
    const request = context.switchToHttp().getRequest<AuthenticatedRequest>();
    if (!this.strategies) {
      attachPrincipal(request, ANONYMOUS_PRINCIPAL);
      return true;
    }
    await this.strategies.canActivate(context);
    attachPrincipal(request, request.user as Principal);
    return true;
  }
}

function strategiesGuard(modes: string[], logger: Logger): new () => CanActivate {
  return class extends AuthGuard(modes) {
    /** The reason a token failed goes to the log only. */
    override handleRequest<T>(error: unknown, user: T | false, info: unknown, context: ExecutionContext): T {
      if (error) throw error as Error;
      if (user) return user;
      logger.warn(`request refused: ${reasons(info)}`);
      const { headers } = context.switchToHttp().getRequest<AuthenticatedRequest>();
      const invalid = headers.authorization === undefined ? '' : ', error="invalid_token"';
      throw new AuthenticationError(`Bearer ${REALM}${invalid}`);
    }
  };
}

function reasons(info: unknown): string {
  return (Array.isArray(info) ? info : [info])
    .map((reason) => (reason instanceof Error ? reason.message : String(reason)))
    .join('; ');
}
