import { Module } from '@nestjs/common';
import { ManagedAgentsModule } from '../managed-agents/managed-agents.module.js';
import { DiscoverService } from './discover.service.js';
import { DiscoverTools } from './discover.tools.js';

/** Tools that find agents, environments, vaults and memory stores. */
@Module({ imports: [ManagedAgentsModule], controllers: [DiscoverTools], providers: [DiscoverService] })
export class DiscoverModule {}
