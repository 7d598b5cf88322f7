import { Injectable } from '@nestjs/common';
import { GuardrailsSettings } from '../../config/guardrails.settings.js';
import { plainText, visibleText } from '../../mcp/result/plain-text.js';
import { MAX_METADATA_PAIRS, RESERVED_PREFIX } from '../owner.js';
import { type Policy, type PolicyRequest, type Refusal } from '../policy.js';

const RULE = 'reserved_metadata';

/**
 * What a session's metadata says about its owner is this server's word, so no tool takes it from a caller: not at start,
 * not in an update, not as a removal. It holds without isolation as well, or sessions could be taken over in advance.
 */
@Injectable()
export class ReservedMetadataPolicy implements Policy {
  constructor(private readonly settings: GuardrailsSettings) {}

  refusal({ tool, arguments: { metadata } }: PolicyRequest): Refusal | undefined {
    if (typeof metadata !== 'object' || metadata === null) return undefined;
    const keys = Object.keys(metadata);
    if (keys.some(isReserved)) {
      return {
        rule: RULE,
        message: `metadata keys that begin with "${RESERVED_PREFIX}" belong to this server. Leave them out; every other key may be used.`,
      };
    }
    const isTagged = this.settings.sessionIsolation === 'owner' && tool.tier === 'start';
    if (!isTagged || keys.length < MAX_METADATA_PAIRS) return undefined;
    return {
      rule: RULE,
      message: `metadata may have ${MAX_METADATA_PAIRS - 1} pairs here, because this server adds one. Leave one out.`,
    };
  }
}

/**
 * More than what is exactly alike: nobody reading the metadata should be able to take one for the other. Terminals and
 * this server take an escape sequence out whole, other readers only what of it cannot be seen.
 */
export function isReserved(key: string): boolean {
  return [plainText(key), visibleText(key)].some((shown) =>
    shown.normalize('NFKC').trim().toLowerCase().startsWith(RESERVED_PREFIX),
  );
}
