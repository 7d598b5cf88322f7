import { Injectable } from '@nestjs/common';
import { GuardrailsSettings } from '../../config/guardrails.settings.js';
import { ApiError } from '../../managed-agents/api-error.js';
import { CatalogService } from '../../managed-agents/catalog.service.js';
import { rosterOf } from '../../managed-agents/roster.js';
import { idsNamed } from '../../mcp/resource-arguments.js';
import { type PolicyRequest, type Refusal, type StatefulPolicy } from '../policy.js';

/**
 * While rosters are checked, an agent is started only if every agent it may delegate to is on the list. Reads the agent in
 * the version that is started. An agent that is changed between this read and the start makes a session that the session
 * rule of the allowlist then closes.
 */
@Injectable()
export class RosterPolicy implements StatefulPolicy {
  private readonly active: boolean;
  private readonly allowed: ReadonlySet<string>;

  constructor(
    settings: GuardrailsSettings,
    private readonly catalog: CatalogService,
  ) {
    this.active = settings.checksRosters;
    this.allowed = new Set(settings.allowedAgentIds);
  }

  async refusal({ tool, arguments: args }: PolicyRequest): Promise<Refusal | undefined> {
    if (!this.active || tool.tier !== 'start') return undefined;
    const version = typeof args.agent_version === 'number' ? args.agent_version : undefined;
    for (const id of idsNamed('agent', args)) {
      const roster = await this.rosterOf(id, version);
      if (!roster.every((member) => this.allowed.has(member))) return NOT_LISTED;
    }
    return undefined;
  }

  private async rosterOf(id: string, version: number | undefined): Promise<string[]> {
    try {
      return rosterOf(await this.catalog.agent(id, version));
    } catch (error) {
      // The start is answered in the same way, with what to do.
      if (error instanceof ApiError && error.details.status === 404) return [];
      throw error;
    }
  }
}

const NOT_LISTED: Refusal = {
  rule: 'agent_allowlist',
  message:
    'This agent may delegate to an agent that is not allowed here: MCP_ALLOWLIST_ROSTERS=check, and its roster names one that is not in MCP_ALLOWED_AGENT_IDS. Nothing was done. Use another agent from agent_list, or ask the operator to add its members.',
};
