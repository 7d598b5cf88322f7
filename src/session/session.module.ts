import { Module } from '@nestjs/common';
import { ManagedAgentsModule } from '../managed-agents/managed-agents.module.js';
import { ApprovalModule } from '../mcp/approval/human-approval.js';
import { SessionEndService } from './session-end.service.js';
import { SessionEventsService } from './session-events.service.js';
import { SessionService } from './session.service.js';
import { SessionTools } from './session.tools.js';
import { ElicitedDecisions } from './wait/elicited-decisions.js';
import { SessionWaitService } from './wait/session-wait.service.js';

/** Tools that start, observe and end sessions. */
@Module({
  imports: [ManagedAgentsModule, ApprovalModule],
  controllers: [SessionTools],
  providers: [SessionService, SessionEventsService, SessionWaitService, ElicitedDecisions, SessionEndService],
})
export class SessionModule {}
