import { Injectable } from '@nestjs/common';
import { GuardrailsSettings } from '../../config/guardrails.settings.js';
import { READING_TIERS } from '../../config/tiers.js';
import { type Principal } from '../../context/principal.js';
import { type ToolDefinition } from '../../mcp/tool-definition.js';
import { type Policy, type PolicyRequest, type Refusal } from '../policy.js';

/**
 * Tools that end sessions, and all tools that change anything, can be switched off for everyone; a caller can give up the
 * latter for one request.
 */
@Injectable()
export class TierPolicy implements Policy {
  constructor(private readonly settings: GuardrailsSettings) {}

  refusal({ tool, principal }: PolicyRequest): Refusal | undefined {
    if (!READING_TIERS.includes(tool.tier)) {
      if (this.settings.readOnly) {
        return readOnly(tool, 'this server is read-only (MCP_READ_ONLY=true)');
      }
      if (principal.readOnly) {
        return readOnly(tool, 'this connection is read-only (the address /mcp/readonly, or the header X-MCP-Readonly)');
      }
    }
    if (!this.settings.allowDestructive && tool.tier === 'destructive') {
      return {
        rule: 'destructive',
        message: `${tool.name} is disabled on this server (MCP_ALLOW_DESTRUCTIVE=false). A session that is idle costs nothing; leave it, or ask the operator.`,
      };
    }
    return undefined;
  }

  hides({ tier }: ToolDefinition, principal: Principal): boolean {
    if ((this.settings.readOnly || principal.readOnly) && !READING_TIERS.includes(tier)) return true;
    return !this.settings.allowDestructive && tier === 'destructive';
  }
}

function readOnly({ name }: ToolDefinition, why: string): Refusal {
  return { rule: 'read_only', message: `${name} is not available: ${why}. Discover and observe tools still work.` };
}
