import { type IncomingHttpHeaders } from 'node:http';
import { type Principal } from './principal.js';

/** A Fastify request as the guards see it. */
export interface AuthenticatedRequest {
  readonly headers: IncomingHttpHeaders;
  user?: unknown;
  readonly raw: { user?: Principal; auth?: unknown };
}

/**
 * Passport puts the principal on Fastify's request, but MCP handlers only get Node's raw one: `user` is what mcp-nest
 * reads from it, `auth` is what the MCP SDK forwards to every handler, lists included. The token itself stays behind.
 */
export function attachPrincipal(request: AuthenticatedRequest, principal: Principal): void {
  request.raw.user = principal;
  request.raw.auth = { token: '', clientId: principal.subject, scopes: [...principal.scopes], extra: { principal } };
}

/** The principal that {@link attachPrincipal} put into the MCP SDK's `authInfo`. */
export function principalOf(authInfo: { extra?: Record<string, unknown> } | undefined): Principal | undefined {
  return authInfo?.extra?.principal as Principal | undefined;
}
