import { isSecure, LOCAL_HOSTS } from './secure-url.js';

/** Issuers of callers that sign in at no identity provider. */
export const OWN_ISSUERS: readonly string[] = ['bearer', 'stdio', 'none'];

/** A name of a caller, as bindings and allowlists spell it. */
export interface CallerName {
  /** The issuer for which alone the name holds. */
  readonly issuer?: string;
  readonly name: string;
}

/**
 * Reads `name` or `<issuer>|name`. The part before the first `|` is an issuer when it is an http(s) URL or one of
 * {@link OWN_ISSUERS}; a subject may have the sign itself (`auth0|5f7c8ec7`).
 */
export function parseCallerName(text: string): CallerName {
  const at = text.indexOf('|');
  const issuer = text.slice(0, Math.max(at, 0));
  const isIssuer = /^https?:\/\//.test(issuer) || OWN_ISSUERS.includes(issuer);
  return isIssuer ? { issuer, name: text.slice(at + 1) } : { name: text };
}

/**
 * Whether a name holds for callers of this issuer. A name without an issuer does not hold for callers of the second and
 * further trusted issuers: each issuer hands out subjects of its own, so the same text can be another person there.
 */
export function holdsFor(name: CallerName, issuer: string, trusted: readonly string[]): boolean {
  if (name.issuer !== undefined) return name.issuer === issuer;
  return trusted.indexOf(issuer) <= 0;
}

const ADFS_TRUST = /^http:\/\/([^/?#]+)\/adfs\/services\/trust$/i;
const ENTRA_ISSUER =
  /^(https:\/\/login\.(?:microsoftonline\.(?:com|us)|partner\.microsoftonline\.cn))\/([^/]+)\/v2\.0\/?$/i;
/** Tenants in addresses of Entra that stand for any tenant; tokens always name the one of the person. */
const ANY_TENANT = /^(common|organizations|consumers|\{[^}]*\})$/i;

/**
 * The authorization server at which callers of an issuer sign in: the issuer itself, except for AD FS, whose access
 * tokens have the issuer `http://<host>/adfs/services/trust` while everything is published at `https://<host>/adfs`.
 */
export function authorizationServerOf(issuer: string): string {
  const host = ADFS_TRUST.exec(issuer)?.[1];
  if (host === undefined) return issuer;
  const isLocal = LOCAL_HOSTS.includes(new URL(issuer).hostname);
  return `${isLocal ? 'http' : 'https'}://${host}/adfs`;
}

/** Whether documents of this issuer may be fetched: over a protected connection only. */
export function canDiscover(issuer: string): boolean {
  return isSecure(authorizationServerOf(issuer));
}

/** Whether an issuer of Entra stands for any tenant, which no token has as its issuer. */
export function namesNoTenant(issuer: string): boolean {
  return ANY_TENANT.test(ENTRA_ISSUER.exec(issuer)?.[2] ?? '') || /\{|\}/.test(issuer);
}

/**
 * The address of an endpoint of the first of several tenants, made the address for people of all of them: at the endpoint
 * of one tenant only its own people and guests can sign in. Which tenants are accepted is decided by the issuer of the
 * token. Other addresses stay as they are.
 */
export function endpointForAllTenants(endpoint: string, issuers: readonly string[]): string {
  const tenants = issuers.map((issuer) => ENTRA_ISSUER.exec(issuer));
  const [first] = tenants;
  if (tenants.length < 2 || !first || tenants.some((tenant) => tenant?.[1] !== first[1])) return endpoint;
  const own = `${first[1]}/${first[2]}/`;
  return endpoint.startsWith(own) ? `${first[1]}/organizations/${endpoint.slice(own.length)}` : endpoint;
}
