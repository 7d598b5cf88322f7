/** Who is calling: what every authentication strategy yields and every guardrail asks. */
export interface Principal {
  /** Stable name of the caller within its issuer. */
  readonly subject: string;
  /** Who vouches for the subject: an issuer URL, or the name of the strategy that has none. */
  readonly issuer: string;
  readonly email?: string;
  readonly roles: readonly string[];
  readonly groups: readonly string[];
  readonly scopes: readonly string[];
  /** Set where this very request asked to read only. A request can give rights up this way, never gain any. */
  readonly readOnly?: boolean;
}

/**
 * One text per principal, never the same for two. What is kept in Redis, in the metadata of sessions and in page cursors
 * is derived from it, so its bytes must stay as they are.
 *
 * @param scope sets apart what the same principal has in different places
 */
export function principalId({ issuer, subject }: Principal, scope?: string): string {
  return JSON.stringify(scope === undefined ? [issuer, subject] : [scope, issuer, subject]);
}

/** The person who started the stdio server: the process boundary is the authentication. */
export const LOCAL_PRINCIPAL: Principal = { subject: 'local', issuer: 'stdio', roles: [], groups: [], scopes: [] };

/** Everyone, where the operator switched authentication off. */
export const ANONYMOUS_PRINCIPAL: Principal = {
  subject: 'anonymous',
  issuer: 'none',
  roles: [],
  groups: [],
  scopes: [],
};
