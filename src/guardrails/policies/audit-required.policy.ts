import { Injectable } from '@nestjs/common';
import { AuditSettings } from '../../config/audit.settings.js';
import { AuditReadiness } from '../../mcp/tool-access.js';
import { type Policy, type PolicyRequest, type Refusal } from '../policy.js';

/** Where the audit is required, nothing is changed while its records are known not to arrive. Reading goes on. */
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
      message: `${tool.name} is refused for now: this server must record every change (MCP_AUDIT_REQUIRED=true), and its audit cannot be written at the moment. Nothing was done. Tell the operator, and try again in a minute; tools that only read still work.`,
    };
  }
}
