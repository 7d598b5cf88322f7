import { Module } from '@nestjs/common';
import { ManagedAgentsModule } from '../managed-agents/managed-agents.module.js';
import { InteractService } from './interact.service.js';
import { InteractTools } from './interact.tools.js';

/** Tools that talk to running sessions. */
@Module({ imports: [ManagedAgentsModule], controllers: [InteractTools], providers: [InteractService] })
export class InteractModule {}
