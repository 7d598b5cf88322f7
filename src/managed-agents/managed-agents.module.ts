import { Module } from '@nestjs/common';
import { AnthropicSettings } from '../config/anthropic.settings.js';
import { ApiClient, createApiClient } from './api-client.js';
import { CatalogService } from './catalog.service.js';
import { EventLogService } from './event-log.service.js';
import { FollowService } from './follow/follow.service.js';
import { ResponderService } from './respond/responder.service.js';
import { UpstreamObserver } from './upstream-observer.js';
import { SessionOpening } from './session-opening.service.js';
import { SessionsService } from './sessions.service.js';
import { SessionStats } from './session-stats.js';

/** The Managed Agents API behind a few small services. Knows nothing of MCP, HTTP servers or principals. */
@Module({
  providers: [
    {
      provide: ApiClient,
      inject: [AnthropicSettings, { token: UpstreamObserver, optional: true }],
      useFactory: createApiClient,
    },
    SessionStats,
    CatalogService,
    SessionsService,
    SessionOpening,
    EventLogService,
    FollowService,
    ResponderService,
  ],
  exports: [
    SessionStats,
    CatalogService,
    SessionsService,
    SessionOpening,
    EventLogService,
    FollowService,
    ResponderService,
  ],
})
export class ManagedAgentsModule {}
