import { Injectable } from '@nestjs/common';
import { AuthSettings } from '../../config/auth.settings.js';
import { LOCAL_PRINCIPAL } from '../../context/principal.js';
import { type Policy, type PolicyRequest, type Refusal } from '../policy.js';

/**
 * The scopes of a tier also hold where one tool does what another one is for. A request that names the tool itself never
 * gets here without them: HTTP refuses it before, with a challenge. Over stdio there are no tokens.
 */
@Injectable()
export class ScopePolicy implements Policy {
  constructor(private readonly settings: AuthSettings) {}

  refusal({ tool, principal }: PolicyRequest): Refusal | undefined {
    if (principal === LOCAL_PRINCIPAL) return undefined;
    const lacking = this.settings.scopesOf(tool.tier).filter((scope) => !principal.scopes.includes(scope));
    if (lacking.length === 0) return undefined;
    return {
      rule: 'scope',
      message: `${tool.name} needs the scope ${lacking.join(' and ')}, which your token lacks (MCP_TIER_SCOPES). Nothing was done. Call ${tool.name} itself, so that the client asks for the scope.`,
    };
  }
}
