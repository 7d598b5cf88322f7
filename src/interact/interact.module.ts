import { Module } from '@nestjs/common';
import { ManagedAgentsModule } from '../managed-agents/managed-agents.module.js';
import { ApprovalModule } from '../mcp/approval/human-approval.js';
import { TokensModule } from '../tokens/tokens.module.js';
import { ApprovalService } from './approvals/approval.service.js';
import { InteractService } from './interact.service.js';
import { InteractTools } from './interact.tools.js';
import { RespondService } from './respond.service.js';
import { UpdateService } from './update.service.js';

/** Tools that talk to running sessions. */
@Module({
  imports: [ManagedAgentsModule, ApprovalModule, TokensModule],
  controllers: [InteractTools],
  providers: [InteractService, RespondService, UpdateService, ApprovalService],
})
export class InteractModule {}
