import { createHash } from 'node:crypto';
import { type Principal } from '../../auth/principal.js';

/** What a caller is counted under. A digest, because subjects are often e-mail addresses and the store need not know. */
export function principalKey({ issuer, subject }: Principal): string {
  return createHash('sha256')
    .update(JSON.stringify([issuer, subject]))
    .digest('base64url');
}
