import { hash } from 'node:crypto';
import { type Principal, principalId } from '../../context/principal.js';

/** What a caller is counted under. A digest, because subjects are often e-mail addresses and the store need not know. */
export function principalKey(principal: Principal): string {
  return hash('sha256', principalId(principal), 'base64url');
}
