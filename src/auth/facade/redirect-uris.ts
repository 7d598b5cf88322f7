/** A loopback address with any port: native clients listen where they find a free one (RFC 8252 §7.3). */
const LOOPBACK_PORT = /^(http:\/\/(?:localhost|127\.0\.0\.1|\[::1\])):\d{1,5}(?=[/?]|$)/;

/**
 * Whether a code may be sent to this address. Compared as texts, without parsing: whatever two parsers would read
 * differently is not on the list.
 */
export function isAllowedRedirect(uri: string, allowed: readonly string[]): boolean {
  return allowed.some((entry) => withoutLoopbackPort(entry) === withoutLoopbackPort(uri));
}

function withoutLoopbackPort(uri: string): string {
  return uri.replace(LOOPBACK_PORT, '$1');
}
