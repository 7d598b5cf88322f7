import { Injectable } from '@nestjs/common';
import { GuardrailsSettings } from '../../config/guardrails.settings.js';
import { plainText, visibleText } from '../../mcp/result/plain-text.js';
import { MAX_METADATA_PAIRS, RESERVED_PREFIX } from '../owner.js';
import { type Policy, type PolicyRequest, type Refusal } from '../policy.js';

const RULE = 'reserved_metadata';

/**
 * Only this server writes the owner into a session's metadata, so no tool takes those keys from a caller: not at the
 * start, not in an update, and not to remove them. This applies without isolation as well; otherwise a caller could claim
 * sessions before isolation is switched on.
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
        message: `metadata keys that begin with "${RESERVED_PREFIX}" are reserved for this server. Nothing was done. Leave them out; all other keys are allowed.`,
      };
    }
    const isTagged = this.settings.sessionIsolation === 'owner' && tool.tier === 'start';
    if (!isTagged || keys.length < MAX_METADATA_PAIRS) return undefined;
    return {
      rule: RULE,
      message: `metadata is limited to ${MAX_METADATA_PAIRS - 1} pairs here, because this server adds one. Nothing was done. Leave out at least one pair.`,
    };
  }
}

/**
 * Also true for keys that only look like a reserved one, so that a reader of the metadata cannot confuse them. Terminals
 * and this server remove an escape sequence as a whole, other readers only its invisible characters.
 */
export function isReserved(key: string): boolean {
  return [plainText(key), visibleText(key)].some((shown) =>
    shown.normalize('NFKC').trim().toLowerCase().startsWith(RESERVED_PREFIX),
  );
}
