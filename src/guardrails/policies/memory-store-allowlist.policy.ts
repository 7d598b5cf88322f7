import { Injectable } from '@nestjs/common';
import { GuardrailsSettings } from '../../config/guardrails.settings.js';
import { AllowlistPolicy } from './allowlist.policy.js';

/** When memory stores are listed, only those are there. */
@Injectable()
export class MemoryStoreAllowlistPolicy extends AllowlistPolicy {
  constructor(settings: GuardrailsSettings) {
    const list = {
      kind: 'memory_store',
      rule: 'memory_store_allowlist',
      active: settings.allowedMemoryStoreIds.length > 0,
      ids: settings.allowedMemoryStoreIds,
      message:
        'This memory store may not be used here: it is not in MCP_ALLOWED_MEMORY_STORE_IDS. Use memory stores of memory_store_list, or ask the operator to add this one.',
    } as const;
    super(list);
  }
}
