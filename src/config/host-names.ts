import { isIPv6 } from 'node:net';

/** A host name or address as the `Host` and `Origin` headers have it, in small letters: an IPv6 address in brackets. */
export const HOST_NAME = {
  pattern: /^(\[[\da-f:.]+\]|[a-z\d_]([a-z\d._-]*[a-z\d_])?\.?)$/i,
  expected: 'host names separated by commas, without path and without * (each name is written out)',
  read: hostName,
} as const;

/** What the server can bind to: an address, or a name that leads to one. */
export const BIND_ADDRESS = {
  pattern: /^([\w.-]+|[\da-f.]*:[\da-f.:]*:[\da-f.:]*(%[\w.-]+)?)$/i,
  expected: 'an IP address or a host name, without scheme and port; the port is MCP_PORT',
  read: (text: string) => text.replace(/^\[(.*)\]$/, '$1'),
} as const;

/** Reads a URL, an origin, or a name with a port as the host that it names; any other text stays as it is. */
function hostName(entry: string): string {
  if (/[*"'`\s\\]/.test(entry)) return entry;
  const url = entry.includes('://') ? entry : `http://${isIPv6(entry) ? `[${entry}]` : entry}`;
  if (!URL.canParse(url)) return entry;
  const { hostname, pathname, search, hash, username } = new URL(url);
  const isHostAlone = ['', '/'].includes(pathname) && `${search}${hash}${username}` === '';
  return isHostAlone && hostname !== '' ? hostname : entry;
}
