import { Injectable } from '@nestjs/common';
import { type Principal } from '../../context/principal.js';
import { type ToolDefinition } from '../../mcp/tool-definition.js';
import { CallerRoles } from '../caller-roles.js';
import { type Policy, type PolicyRequest, type Refusal } from '../policy.js';

/** Once roles are bound, a caller sees and calls the tools of its roles, and nothing without one. */
@Injectable()
export class RolePolicy implements Policy {
  constructor(private readonly roles: CallerRoles) {}

  refusal({ tool, principal }: PolicyRequest): Refusal | undefined {
    if (!this.hides(tool, principal)) return undefined;
    const held = [...this.roles.of(principal)].join(', ');
    const lacking = held === '' ? 'you have no role on this server' : `you are ${held} here`;
    const needed = CallerRoles.thatMayCall(tool.tier).join(' or ');
    return {
      rule: 'role',
      message: `${tool.name} needs the role ${needed}, and ${lacking}. Ask somebody who has it, or the operator for the role (MCP_ROLE_BINDINGS).`,
    };
  }

  hides({ tier }: ToolDefinition, principal: Principal): boolean {
    return !this.roles.mayCall(tier, principal);
  }
}
