import { Module } from '@nestjs/common';
import { ToolCallObserver } from '../mcp/tool-access.js';
import { AuditService, AuditSink, StderrSink } from './audit.service.js';

/** The record of who called what, and how it ended. */
@Module({
  providers: [
    { provide: AuditSink, useClass: StderrSink },
    { provide: ToolCallObserver, useClass: AuditService },
  ],
  exports: [ToolCallObserver],
})
export class AuditModule {}
