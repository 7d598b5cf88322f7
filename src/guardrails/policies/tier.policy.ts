import { Injectable } from '@nestjs/common';
import { GuardrailsSettings } from '../../config/guardrails.settings.js';
import { type Tier, type ToolDefinition } from '../../mcp/tool-definition.js';
import { type Policy, type PolicyRequest, type Refusal } from '../policy.js';

const READING_TIERS: ReadonlySet<Tier> = new Set(['discover', 'observe']);

/** Tools that end sessions, and all tools that change anything, can be switched off for everyone. */
@Injectable()
export class TierPolicy implements Policy {
  constructor(private readonly settings: GuardrailsSettings) {}

  refusal({ tool }: PolicyRequest): Refusal | undefined {
    if (this.settings.readOnly && !READING_TIERS.has(tool.tier)) {
      return {
        rule: 'read_only',
        message: `${tool.name} is not available: this server is read-only (MCP_READ_ONLY=true). Discover and observe tools still work.`,
      };
    }
    if (!this.settings.allowDestructive && tool.tier === 'destructive') {
      return {
        rule: 'destructive',
        message: `${tool.name} is disabled on this server (MCP_ALLOW_DESTRUCTIVE=false). A session that is idle costs nothing; leave it, or ask the operator.`,
      };
    }
    return undefined;
  }

  hides({ tier }: ToolDefinition): boolean {
    if (this.settings.readOnly && !READING_TIERS.has(tier)) return true;
    return !this.settings.allowDestructive && tier === 'destructive';
  }
}
