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
import { withArgumentsObject } from '../argument-reader.js';
import { InvalidRequestError } from '../errors/http-error.js';
import { MCP_PATH, READ_ONLY_PATH } from './mcp-paths.js';
import { ScopeGuard } from './scope.guard.js';

const JSON_TYPES = ['application/json', 'application/*', '*/*'];
const STREAM_TYPES = ['text/event-stream'];
/** What the transports of the MCP SDK ask for, by name and both. */
const BOTH = 'application/json, text/event-stream';

/**
 * Clients and gateways leave `Accept` out, send a wildcard, or name JSON alone, and the answer to nearly every request is
 * JSON. Such a request gets the header that the MCP SDK asks for. A client that did not ask for an event stream by name gets
 * none: `body` is then returned without its progress token, the only thing that would turn the answer into a stream.
 */
function acceptJson(request: IncomingMessage, body: unknown): unknown {
  // An empty header names nothing, as a missing one does.
  const named = request.headers.accept?.trim();
  const accept = named === '' ? undefined : named;
  if (accept !== undefined && !accepts(accept, JSON_TYPES)) return body;
  const takesStreams = accept !== undefined && accepts(accept, STREAM_TYPES);
  request.headers.accept = BOTH;
  // The transport of 2025 reads the headers as they arrived.
  request.rawHeaders = [...withoutAccept(request.rawHeaders), 'Accept', BOTH];
  return takesStreams ? body : withoutProgress(body);
}

function accepts(accept: string, types: readonly string[]): boolean {
  return accept
    .split(',')
    .map((range) => range.split(';').map((part) => part.trim().toLowerCase()))
    .some(
      ([type = '', ...parameters]) => types.includes(type) && !parameters.some((part) => /^q=0(\.0*)?$/.test(part)),
    );
}

function withoutAccept(rawHeaders: readonly string[]): string[] {
  return rawHeaders.filter((_, at) => rawHeaders[at - (at % 2)]?.toLowerCase() !== 'accept');
}

interface Message {
  readonly params?: { readonly _meta?: Readonly<Record<string, unknown>> };
}

function withoutProgress(body: unknown): unknown {
  const { params } = (body ?? {}) as Message;
  if (params?._meta?.progressToken === undefined) return body;
  const { progressToken: _unused, ..._meta } = params._meta;
  return { ...(body as Message), params: { ...params, _meta } };
}

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
