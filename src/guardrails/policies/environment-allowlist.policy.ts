import { Injectable } from '@nestjs/common';
import { GuardrailsSettings } from '../../config/guardrails.settings.js';
import { type Policy, type PolicyRequest, type Refusal } from '../policy.js';

/** When environments are listed, sessions start only in those. */
@Injectable()
export class EnvironmentAllowlistPolicy implements Policy {
  private readonly allowed: ReadonlySet<string>;

  constructor(settings: GuardrailsSettings) {
    this.allowed = new Set(settings.allowedEnvironmentIds);
  }

  refusal({ tool, arguments: args }: PolicyRequest): Refusal | undefined {
    if (this.allowed.size === 0 || tool.tier !== 'start') return undefined;
    if (this.allowed.has(String(args.environment_id))) return undefined;
    return {
      rule: 'environment_allowlist',
      message:
        'Sessions may not use this environment: it is not in MCP_ALLOWED_ENVIRONMENT_IDS. Use an environment on the list, or ask the operator to add this one.',
    };
  }
}
