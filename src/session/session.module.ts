import { Module } from '@nestjs/common';
import { ManagedAgentsModule } from '../managed-agents/managed-agents.module.js';
import { SessionEndService } from './session-end.service.js';
import { SessionEventsService } from './session-events.service.js';
import { SessionService } from './session.service.js';
import { SessionTools } from './session.tools.js';

/** Tools that start, observe and end sessions. */
@Module({
  imports: [ManagedAgentsModule],
  controllers: [SessionTools],
  providers: [SessionService, SessionEventsService, SessionEndService],
})
export class SessionModule {}
