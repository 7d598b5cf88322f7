import { type IncomingHttpHeaders } from 'node:http';
import { Injectable } from '@nestjs/common';
import { ServerSettings } from '../../config/server.settings.js';

/** A host name or address, with or without port (RFC 9110 §7.2). */
const HOST = /^([\w.-]{1,253}|\[[\da-f:.]+\])(:\d{1,5})?$/i;

/** The read-only endpoint itself, and the address of its metadata. */
const READ_ONLY = /^[^?]*\/mcp\/readonly(\?|$)/;

/** The part of a Fastify request that says to which address it was sent. */
export interface AddressedRequest {
  readonly headers: IncomingHttpHeaders;
  /** Path and query, as sent. */
  readonly url: string;
  /** `https` or `http`; Fastify reads `X-Forwarded-Proto` when the peer is in `MCP_TRUSTED_PROXIES` (`trustProxy`). */
  readonly protocol: string;
  /** Host and port; Fastify reads `X-Forwarded-Host` when the peer is in `MCP_TRUSTED_PROXIES`. */
  readonly host: string;
}

/** The address at which clients reach this server, from their point of view. */
@Injectable()
export class PublicUrl {
  private readonly configured?: string;

  constructor({ publicUrl }: ServerSettings) {
    this.configured = publicUrl;
  }

  /** Without trailing slash. `MCP_PUBLIC_URL` takes precedence, because a request can name any host. */
  base(request: AddressedRequest): string {
    return this.configured ?? requestedAt(request);
  }

  /**
   * The identifier of the MCP endpoint as a protected resource (RFC 9728). It must be exactly the address that the client
   * was given, and the endpoint has two: one of them serves only the tools that read.
   */
  resource(request: AddressedRequest): string {
    return `${this.base(request)}${READ_ONLY.test(request.url) ? '/mcp/readonly' : '/mcp'}`;
  }

  /** The address of the resource's metadata: the well-known path precedes the resource's own path (RFC 9728 §3.1). */
  resourceMetadata(request: AddressedRequest): string {
    const { origin, pathname } = new URL(this.resource(request));
    return `${origin}/.well-known/oauth-protected-resource${pathname}`;
  }
}

function requestedAt({ protocol, host }: AddressedRequest): string {
  const scheme = protocol === 'https' ? 'https' : 'http';
  // Any other text is not an address that a client could call, and could end the quotes of a header.
  return HOST.test(host) ? `${scheme}://${host.toLowerCase()}` : 'http://localhost';
}
