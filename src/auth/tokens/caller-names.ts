import { type AuthSettings } from '../../config/auth.settings.js';
import { type Claims, claimAt } from './claims.js';

/** What the verified claims of a token call the person. */
export interface Names {
  /** The values of `MCP_OIDC_SUBJECT_CLAIMS`, in that order. */
  readonly subjects: readonly string[];
  /** The e-mail address, unless the provider says that it is not verified. */
  readonly email?: string;
}

/** An address that is not verified may belong to another person, so it is neither an e-mail address nor a name. */
export function namesOf(claims: Claims, settings: AuthSettings): Names {
  const found = settings.oidcEmailClaims
    .map((path) => ({ path, address: textAt(claims, path) }))
    .find(({ address }) => address !== undefined);
  const email = found && isVerified(claims, found.path) ? found.address : undefined;
  const subjects = settings.oidcSubjectClaims
    .filter((path) => !['email', ...settings.oidcEmailClaims].includes(path) || isVerified(claims, path))
    .map((path) => ({ path, name: textAt(claims, path) }))
    .filter(({ path, name }) => name !== undefined && !isUnverifiedAddress(claims, path, name))
    .map(({ name }) => name!);
  return { subjects: [...new Set(subjects)], ...(email !== undefined && { email }) };
}

/** Without any mark an address counts as verified, except in tokens of Entra, which mark verified ones (`xms_edov`). */
function isVerified(claims: Claims, path: string): boolean {
  const marks = [claims.email_verified, claimAt(claims, `${path}_verified`)].filter((mark) => mark !== undefined);
  if (marks.length > 0) return marks.every(isTrue);
  return path !== 'email' || textAt(claims, 'tid') === undefined || isTrue(claims.xms_edov);
}

/** Some providers take the address of a person as the user name, before it is verified. */
function isUnverifiedAddress(claims: Claims, path: string, name: string): boolean {
  if (claims.email_verified === undefined || isTrue(claims.email_verified)) return false;
  const isTheAddress = name.toLowerCase() === textAt(claims, 'email')?.toLowerCase();
  return isTheAddress || (path !== 'sub' && name.includes('@'));
}

function isTrue(mark: unknown): boolean {
  return mark === true || mark === 1 || mark === '1' || String(mark).toLowerCase() === 'true';
}

function textAt(claims: Claims, path: string): string | undefined {
  const value = claimAt(claims, path);
  return typeof value === 'string' && value !== '' ? value : undefined;
}
