import { type IncomingHttpHeaders } from 'node:http';
import { type Socket } from 'node:net';
import { type AddressedRequest } from './discovery/public-url.js';
import { type Principal } from '../context/principal.js';

/** A Fastify request as the guards see it. */
export interface AuthenticatedRequest extends AddressedRequest {
  user?: unknown;
  /** The route that matched, with what its decorators declare. */
  readonly routeOptions: { readonly url?: string; readonly config?: object };
  readonly raw: { readonly socket: Socket; user?: Principal; auth?: unknown };
}

/** The part of a request that a strategy reads. */
export interface TokenRequest {
  readonly headers: IncomingHttpHeaders;
}

/** The token of an `Authorization: Bearer` header (RFC 6750 §2.1). Query and body are never read. */
export function bearerTokenOf({ headers }: TokenRequest): string | undefined {
  return /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1];
}

/**
 * Passport puts the principal on Fastify's request, but MCP handlers only get Node's raw one: mcp-nest reads `user` from
 * it, and the MCP SDK forwards `auth` to every handler, including lists. The token itself is not passed on.
 */
export function attachPrincipal(request: AuthenticatedRequest, principal: Principal): void {
  const { raw } = request;
  raw.user = principal;
  const extra = { principal, socket: raw.socket };
  raw.auth = { token: '', clientId: principal.subject, scopes: [...principal.scopes], extra };
}

/** The connection of the caller, from the MCP SDK's `authInfo`; undefined over stdio. */
export function socketOf(authInfo: { extra?: Record<string, unknown> } | undefined): Socket | undefined {
  return authInfo?.extra?.socket as Socket | undefined;
}

/** The principal that {@link attachPrincipal} put into the MCP SDK's `authInfo`. */
export function principalOf(authInfo: { extra?: Record<string, unknown> } | undefined): Principal | undefined {
  return authInfo?.extra?.principal as Principal | undefined;
}
