import { createHash } from 'node:crypto';
import { type Principal, principalId } from '../context/principal.js';

/** Metadata keys that begin with this are this server's; callers can neither set, change nor remove them. */
export const RESERVED_PREFIX = 'managed-agent-control/';

/** The metadata key that says who started a session. */
export const OWNER_KEY = `${RESERVED_PREFIX}owner`;

/** The API's limits for metadata, in pairs and characters of a value. */
export const MAX_METADATA_PAIRS = 16;
const MAX_VALUE_CHARS = 512;

/**
 * The same text for the same caller, on every replica and for good; never the same for two. Readable, so that the
 * Console shows whose a session is, unless it does not fit: then a digest of it.
 */
export function ownerTag(principal: Principal): string {
  const { issuer, subject } = principal;
  const readable = `${issuer}|${subject}`;
  // An issuer with "|" in it could be read as another issuer with a longer subject.
  const isPlain = readable.length <= MAX_VALUE_CHARS && /^[\x21-\x7e]*$/.test(readable) && !issuer.includes('|');
  return isPlain ? readable : `sha256|${createHash('sha256').update(principalId(principal)).digest('hex')}`;
}
