import { Injectable } from '@nestjs/common';
import { GuardrailsSettings } from '../../config/guardrails.settings.js';
import { type Policy, type PolicyRequest, type Refusal } from '../policy.js';

/** While the agent allowlist is active, sessions start only with the agents on it. */
@Injectable()
export class AgentAllowlistPolicy implements Policy {
  private readonly allowed: ReadonlySet<string>;

  constructor(private readonly settings: GuardrailsSettings) {
    this.allowed = new Set(settings.allowedAgentIds);
  }

  refusal({ tool, arguments: args }: PolicyRequest): Refusal | undefined {
    if (!this.settings.agentAllowlistActive || tool.tier !== 'start') return undefined;
    if (this.allowed.has(String(args.agent_id))) return undefined;
    return {
      rule: 'agent_allowlist',
      message:
        'This agent may not be started here: the agent allowlist is active (MCP_ALLOWLIST_AGENTS_ACTIVE=true) and does not name it in MCP_ALLOWED_AGENT_IDS. Use an agent on the list, or ask the operator to add this one.',
    };
  }
}
