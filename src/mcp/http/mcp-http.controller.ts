import {
  type CanActivate,
  Controller,
  Delete,
  type ExecutionContext,
  Get,
  Injectable,
  Post,
  Req,
  Res,
  UseGuards,
} from '@nestjs/common';
import { StreamableHttpController } from '@rekog/mcp-nest';
import { attachPrincipal, type AuthenticatedRequest } from '../../auth/authenticated-request.js';
import { withArgumentsObject } from '../call-message.js';
import { InvalidRequestError, type Reply } from '../errors/http-error.js';
import { ScopeGuard } from './scope.guard.js';

/** The route that serves only the tools that read; for clients that can be given an address but no headers. */
const READ_ONLY_PATH = 'mcp/readonly';

const READ_ONLY_HEADER = 'x-mcp-readonly';

interface RoutedRequest extends AuthenticatedRequest {
  /** The route as it was declared, whatever the spelling of the address. */
  readonly routeOptions: { readonly url?: string };
}

/**
 * A request may ask for less than its caller may do, by address or header, and never for more. Runs after the global
 * authentication guard, which sets the principal. A value that is not understood is refused: a client that sends the header
 * relies on it.
 */
@Injectable()
export class NarrowingGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<RoutedRequest>();
    const value = request.headers[READ_ONLY_HEADER];
    if (value !== undefined && String(value).toLowerCase() !== 'true') {
      throw new InvalidRequestError('The header X-MCP-Readonly can only be "true"; leave it out otherwise');
    }
    const principal = request.raw.user;
    if (!principal) throw new Error('an HTTP request reached MCP without a principal');
    const asksToRead = value !== undefined || request.routeOptions.url === `/${READ_ONLY_PATH}`;
    if (asksToRead) attachPrincipal(request, { ...principal, readOnly: true });
    return true;
  }
}

/** The MCP endpoint, as a Nest controller so that the global guards run before it. Stateless: only POST is served. */
@Controller(['mcp', READ_ONLY_PATH])
@UseGuards(ScopeGuard, NarrowingGuard)
export class McpHttpController extends StreamableHttpController {
  @Post()
  override post(@Req() request: { body?: unknown }, @Res() reply: Reply): Promise<void> | void {
    request.body = withArgumentsObject(request.body);
    return super.post(request, reply);
  }

  @Get()
  override get(@Req() request: unknown, @Res() reply: Reply): Promise<void> | void {
    reply.header('allow', 'POST');
    return super.get(request, reply);
  }

  @Delete()
  override delete(@Req() request: unknown, @Res() reply: Reply): Promise<void> | void {
    reply.header('allow', 'POST');
    return super.delete(request, reply);
  }
}
