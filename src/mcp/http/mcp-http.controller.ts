import { type IncomingMessage } from 'node:http';
import {
  type CanActivate,
  Controller,
  type ExecutionContext,
  Injectable,
  Post,
  Req,
  Res,
  UseGuards,
} from '@nestjs/common';
import { StreamableHttpController } from '@rekog/mcp-nest';
import { attachPrincipal, type AuthenticatedRequest } from '../../auth/authenticated-request.js';
import { withArgumentsObject } from '../call-message.js';
import { InvalidRequestError } from '../errors/http-error.js';
import { acceptJson } from './acceptable.js';
import { MCP_PATH, READ_ONLY_PATH } from './mcp-paths.js';
import { ScopeGuard } from './scope.guard.js';

const READ_ONLY_HEADER = 'x-mcp-readonly';

interface RoutedRequest extends AuthenticatedRequest {
  /** The route as it was declared, whatever the spelling of the address. */
  readonly routeOptions: { readonly url?: string };
}

/** The request of Fastify, with the body that it parsed. */
interface McpRequest {
  readonly raw: IncomingMessage;
  body?: unknown;
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

/**
 * The MCP endpoint, as a Nest controller so that the global guards run before it. Stateless: only POST is served, and
 * `request-bodies.ts` refuses every other method before its body is read.
 */
@Controller([MCP_PATH, READ_ONLY_PATH])
@UseGuards(ScopeGuard, NarrowingGuard)
export class McpHttpController extends StreamableHttpController {
  @Post()
  override post(@Req() request: McpRequest, @Res() reply: unknown): Promise<void> | void {
    request.body = withArgumentsObject(acceptJson(request.raw, request.body));
    return super.post(request, reply);
  }
}
