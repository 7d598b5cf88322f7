import { Injectable } from '@nestjs/common';
import { GuardrailsSettings } from '../../config/guardrails.settings.js';
import { AllowlistPolicy } from './allowlist.policy.js';

/** When environments are listed, only those are there. */
@Injectable()
export class EnvironmentAllowlistPolicy extends AllowlistPolicy {
  constructor(settings: GuardrailsSettings) {
    const list = {
      kind: 'environment',
      rule: 'environment_allowlist',
      active: settings.allowedEnvironmentIds.length > 0,
      ids: settings.allowedEnvironmentIds,
      message:
        'This environment may not be used here: it is not in MCP_ALLOWED_ENVIRONMENT_IDS. Use an environment of environment_list, or ask the operator to add this one.',
    } as const;
    super(list);
  }
}
