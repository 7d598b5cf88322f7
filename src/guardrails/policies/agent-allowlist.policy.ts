import { Injectable } from '@nestjs/common';
import { GuardrailsSettings } from '../../config/guardrails.settings.js';
import { AllowlistPolicy } from './allowlist.policy.js';

/** While the agent allowlist is active, only the agents on it are there; an empty list then means none. */
@Injectable()
export class AgentAllowlistPolicy extends AllowlistPolicy {
  constructor(settings: GuardrailsSettings) {
    const list = {
      kind: 'agent',
      rule: 'agent_allowlist',
      active: settings.agentAllowlistActive,
      ids: settings.allowedAgentIds,
      message:
        'This agent may not be used here: the agent allowlist is active (MCP_ALLOWLIST_AGENTS_ACTIVE=true) and does not name it in MCP_ALLOWED_AGENT_IDS. Use an agent of agent_list, or ask the operator to add this one.',
    } as const;
    super(list);
  }
}
