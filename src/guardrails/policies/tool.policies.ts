import { Injectable } from '@nestjs/common';
import { LOCAL_PRINCIPAL, type Principal } from '../../context/principal.js';
import { AuditSettings } from '../../config/audit.settings.js';
import { AuthSettings } from '../../config/auth.settings.js';
import { GuardrailsSettings } from '../../config/guardrails.settings.js';
import { READING_TIERS } from '../../config/tiers.js';
import { AuditReadiness } from '../../mcp/tool-call-observer.js';
import { type ToolDefinition } from '../../mcp/tool.decorator.js';
import { CallerRoles } from '../caller-roles.js';
import { type Policy, type PolicyRequest, type Refusal } from '../policy.js';

/*
 * The policies that look at the tool and the caller, and at no argument.
 */

/**
 * The operator can switch off the tools that end sessions, or all tools that change anything, for everyone. A caller can
 * switch off the latter for one request.
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
        return readOnly(tool, 'this connection is read-only (the path /mcp/readonly, or the header X-MCP-Readonly)');
      }
    }
    if (!this.settings.allowDestructive && tool.tier === 'destructive') {
      return {
        rule: 'destructive',
        message: `${tool.name} is disabled on this server (MCP_ALLOW_DESTRUCTIVE=false). Nothing was done. An idle session costs nothing: leave it as it is, or ask the operator.`,
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
  return {
    rule: 'read_only',
    message: `${name} is not available: ${why}. Nothing was done. The tools that discover and observe still work.`,
  };
}

/** Once roles are bound, a caller sees and calls the tools of its roles; a caller without a role has no tools. */
@Injectable()
export class RolePolicy implements Policy {
  constructor(private readonly roles: CallerRoles) {}

  refusal({ tool, principal }: PolicyRequest): Refusal | undefined {
    if (!this.hides(tool, principal)) return undefined;
    const held = [...this.roles.of(principal)].join(', ');
    const yours = held === '' ? 'you have no role on this server' : `you have only: ${held}`;
    const required = CallerRoles.thatMayCall(tool.tier).join(' or ');
    return {
      rule: 'role',
      message: `${tool.name} requires the role ${required}; ${yours} (MCP_ROLE_BINDINGS). Nothing was done. Ask someone with that role to do it, or ask the operator for the role.`,
    };
  }

  hides({ tier }: ToolDefinition, principal: Principal): boolean {
    return !this.roles.mayCall(tier, principal);
  }
}

/**
 * The scopes of a tier also apply where one tool does the work of another. A request that names the tool itself and lacks
 * them never gets here: HTTP refuses it first, with a challenge. Over stdio there are no tokens.
 */
@Injectable()
export class ScopePolicy implements Policy {
  constructor(private readonly settings: AuthSettings) {}

  refusal({ tool, principal }: PolicyRequest): Refusal | undefined {
    if (principal === LOCAL_PRINCIPAL) return undefined;
    const missing = this.settings.scopesOf(tool.tier).filter((scope) => !principal.scopes.includes(scope));
    if (missing.length === 0) return undefined;
    return {
      rule: 'scope',
      message: `${tool.name} requires the scope ${missing.join(' and ')}, which your token does not have (MCP_TIER_SCOPES). Nothing was done. Call ${tool.name} itself, so that the client can request the scope.`,
    };
  }
}

/** Where the audit is required, nothing is changed while its records are known not to be delivered. Reading still works. */
@Injectable()
export class AuditRequiredPolicy implements Policy {
  constructor(
    private readonly settings: AuditSettings,
    private readonly audit: AuditReadiness,
  ) {}

  refusal({ tool }: PolicyRequest): Refusal | undefined {
    if (!this.settings.required || tool.hints.readOnlyHint || this.audit.ready) return undefined;
    return {
      rule: 'audit_required',
      message: `${tool.name} is refused: this server must record every change (MCP_AUDIT_REQUIRED=true), and its audit records cannot be delivered at the moment. Nothing was done. Tell the operator and try again in a minute; tools that only read still work.`,
    };
  }
}
