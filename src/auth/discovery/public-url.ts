import { BlockList, isIPv6 } from 'node:net';
import { type IncomingHttpHeaders } from 'node:http';
import { Injectable } from '@nestjs/common';
import { ServerSettings } from '../../config/server.settings.js';

/** A host name or address, with or without port (RFC 9110 §7.2). */
const HOST = /^([\w.-]{1,253}|\[[\da-f:.]+\])(:\d{1,5})?$/i;

/** The read-only endpoint itself, and the address of its metadata. */
const READ_ONLY = /^[^?]*\/mcp\/readonly(\?|$)/;

/** The part of a request that tells under which address it came. */
export interface Arrival {
  readonly headers: IncomingHttpHeaders;
  /** Path and query, as sent. */
  readonly url: string;
  readonly raw: { readonly socket: { readonly remoteAddress?: string; readonly encrypted?: boolean } };
}

/** The address under which clients reach this server, as they see it. */
@Injectable()
export class PublicUrl {
  private readonly configured?: string;
  private readonly proxies = new BlockList();

  constructor({ publicUrl, trustedProxies }: ServerSettings) {
    this.configured = publicUrl;
    for (const entry of trustedProxies) this.trust(entry);
  }

  /** Without trailing slash; `MCP_PUBLIC_URL` where it is set, because a request can claim any host. */
  base(request: Arrival): string {
    return this.configured ?? this.arrivedAt(request);
  }

  /**
   * The identifier of the MCP endpoint as a protected resource (RFC 9728). It has to be the address the client was given,
   * to the letter, and the endpoint has two: one of them serves the reading tools only.
   */
  resource(request: Arrival): string {
    return `${this.base(request)}${READ_ONLY.test(request.url) ? '/mcp/readonly' : '/mcp'}`;
  }

  /** Where the metadata of the resource is: the well-known path comes before its own path (RFC 9728 §3.1). */
  resourceMetadata(request: Arrival): string {
    const { origin, pathname } = new URL(this.resource(request));
    return `${origin}/.well-known/oauth-protected-resource${pathname}`;
  }

  private arrivedAt({ headers, raw: { socket } }: Arrival): string {
    const forwarded = this.isTrusted(socket.remoteAddress) ? headers : {};
    const protocol = last(forwarded['x-forwarded-proto']) ?? (socket.encrypted ? 'https' : 'http');
    const host = last(forwarded['x-forwarded-host']) ?? headers.host;
    const scheme = protocol === 'https' ? 'https' : 'http';
    // Anything else has no address anyone could come back to, and might end the quotes of a header.
    return host !== undefined && HOST.test(host) ? `${scheme}://${host.toLowerCase()}` : 'http://localhost';
  }

  private trust(entry: string): void {
    const [address = '', prefix] = entry.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    if (prefix === undefined) this.proxies.addAddress(address, family);
    else this.proxies.addSubnet(address, Number(prefix), family);
  }

  private isTrusted(address: string | undefined): boolean {
    if (address === undefined) return false;
    // An IPv4 peer of a dual-stack socket.
    const plain = address.replace(/^::ffff:(?=\d+\.)/i, '');
    return this.proxies.check(plain, isIPv6(plain) ? 'ipv6' : 'ipv4');
  }
}

/** Each proxy appends; the last entry is the one of the proxy we trust. */
function last(header: string | string[] | undefined): string | undefined {
  const entry = [header].flat().join(',').split(',').at(-1)?.trim();
  return entry === '' ? undefined : entry;
}
