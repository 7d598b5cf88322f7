import { hash } from 'node:crypto';
import { type Principal, principalId } from '../context/principal.js';

/** Metadata keys with this prefix are reserved for this server; callers cannot set, change or remove them. */
export const RESERVED_PREFIX = 'managed-agent-control/';

/** The metadata key for the caller that started a session. */
export const OWNER_KEY = `${RESERVED_PREFIX}owner`;

/** The API's limits for metadata, in pairs and characters of a value. */
export const MAX_METADATA_PAIRS = 16;
const MAX_VALUE_CHARS = 512;

/**
 * Identifies a caller in the metadata of its sessions: always the same text for one caller, on every replica, and never
 * the same for two. Readable in the Console, or a digest if the readable text does not fit.
 */
export function ownerTag(principal: Principal): string {
  const { issuer, subject } = principal;
  const readable = `${issuer}|${subject}`;
  // An issuer with "|" in it could be read as another issuer with a longer subject.
  const isPlain = readable.length <= MAX_VALUE_CHARS && /^[\x21-\x7e]*$/.test(readable) && !issuer.includes('|');
  return isPlain ? readable : `sha256|${hash('sha256', principalId(principal), 'hex')}`;
}
