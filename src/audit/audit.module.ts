import { Global, Module } from '@nestjs/common';
import { AuditReadiness } from '../mcp/tool-call-observer.js';
import { AuditService } from './audit.service.js';
import { AuditSinks } from './audit-sinks.js';

/** Records every tool call: who called what, and how it ended. Global, so that a guardrail can ask for its readiness. */
@Global()
@Module({
  providers: [AuditSinks, { provide: AuditReadiness, useExisting: AuditSinks }, AuditService],
  exports: [AuditService, AuditSinks, AuditReadiness],
})
export class AuditModule {}
