import { Injectable } from '@nestjs/common';
import { GuardrailsSettings } from '../../config/guardrails.settings.js';
import { AllowlistPolicy } from './allowlist.policy.js';

/** When vaults are listed, only those are there. */
@Injectable()
export class VaultAllowlistPolicy extends AllowlistPolicy {
  constructor(settings: GuardrailsSettings) {
    const list = {
      kind: 'vault',
      rule: 'vault_allowlist',
      active: settings.allowedVaultIds.length > 0,
      ids: settings.allowedVaultIds,
      message:
        'This vault may not be used here: it is not in MCP_ALLOWED_VAULT_IDS. Use vaults of vault_list, or ask the operator to add this one.',
    } as const;
    super(list);
  }
}
