import { type Socket } from 'node:net';
import { type Principal } from '../context/principal.js';
import { type Arrival } from './discovery/public-url.js';

/** A Fastify request as the guards see it. */
export interface AuthenticatedRequest extends Arrival {
  user?: unknown;
  readonly raw: Arrival['raw'] & { readonly socket: Socket; user?: Principal; auth?: unknown };
}

/**
 * Passport puts the principal on Fastify's request, but MCP handlers only get Node's raw one: `user` is what mcp-nest
 * reads from it, `auth` is what the MCP SDK forwards to every handler, lists included. The token itself stays behind.
 */
export function attachPrincipal(request: AuthenticatedRequest, principal: Principal): void {
  const { raw } = request;
  raw.user = principal;
  const extra = { principal, socket: raw.socket };
  raw.auth = { token: '', clientId: principal.subject, scopes: [...principal.scopes], extra };
}

/** The connection of the caller, from the same place; undefined where there is none. */
export function socketOf(authInfo: { extra?: Record<string, unknown> } | undefined): Socket | undefined {
  return authInfo?.extra?.socket as Socket | undefined;
}

/** The principal that {@link attachPrincipal} put into the MCP SDK's `authInfo`. */
export function principalOf(authInfo: { extra?: Record<string, unknown> } | undefined): Principal | undefined {
  return authInfo?.extra?.principal as Principal | undefined;
}
