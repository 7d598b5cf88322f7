import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { attachPrincipal, type AuthenticatedRequest } from '../../auth/authenticated-request.js';
import { InvalidHeaderError } from '../errors/invalid-header.error.js';

/** The route that serves the reading tools only; for clients that can be given an address but no headers. */
export const READ_ONLY_PATH = 'mcp/readonly';

const HEADER = 'x-mcp-readonly';

interface RoutedRequest extends AuthenticatedRequest {
  /** The route as it was declared, which no spelling of an address can change. */
  readonly routeOptions: { readonly url?: string };
}

/**
 * A request may ask for less than its caller may do, by address or header, and never for more. Stands behind the global
 * guard, which has said who is calling. A value that is not understood is refused: whoever sends the header relies on it.
 */
@Injectable()
export class NarrowingGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<RoutedRequest>();
    const value = request.headers[HEADER];
    if (value !== undefined && String(value).toLowerCase() !== 'true') {
      throw new InvalidHeaderError('The header X-MCP-Readonly can only be "true"; leave it out otherwise');
    }
    const principal = request.raw.user;
    if (!principal) throw new Error('an HTTP request reached MCP without a principal');
    const asksToRead = value !== undefined || request.routeOptions.url === `/${READ_ONLY_PATH}`;
    if (asksToRead) attachPrincipal(request, { ...principal, readOnly: true });
    return true;
  }
}
