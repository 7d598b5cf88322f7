import { type DynamicModule, Global, Module, type ModuleMetadata } from '@nestjs/common';
import { AuditModule } from '../audit/audit.module.js';
import { AuthModule } from '../auth/auth.module.js';
import { Secrets } from '../config/secrets.js';
import { ServerSettings } from '../config/server.settings.js';
import { ShutdownSettings } from '../config/shutdown.settings.js';
import { TelemetrySettings } from '../config/telemetry.settings.js';
import { LimitsModule } from '../guardrails/limits/limits.module.js';
import { ManagedAgentsModule } from '../managed-agents/managed-agents.module.js';
import { UpstreamObserver } from '../managed-agents/upstream-observer.js';
import { PinoLogger, stderrLogger } from './logs/pino.logger.js';
import { CallMetrics, UpstreamMetrics } from './metrics/call-metrics.js';
import { MetricsPage } from './metrics/metrics.controller.js';
import { ProcessMetrics } from './metrics/process-metrics.js';
import { SessionState, StateMetrics } from './metrics/state-metrics.js';
import { OpenTelemetry } from './open-telemetry.js';

/**
 * Logs, traces and metrics. Global, because the API client reports its requests to an {@link UpstreamObserver} and does
 * not import this module.
 */
@Global()
@Module({})
export class TelemetryModule {
  static forHttp(): DynamicModule {
    return telemetry(({ managementPort }) => managementPort !== undefined, [AuthModule]);
  }

  /** A Lambda function has one address, which clients use: metrics can only be pushed. */
  static forLambda(): DynamicModule {
    return telemetry(() => false, [AuthModule]);
  }

  /** Without a port on which metrics could be read. */
  static forStdio(): DynamicModule {
    return telemetry(() => false, []);
  }
}

function telemetry(
  servesMetrics: (server: ServerSettings) => boolean,
  imports: NonNullable<ModuleMetadata['imports']>,
): DynamicModule {
  return {
    module: TelemetryModule,
    imports: [AuditModule, LimitsModule, ManagedAgentsModule, ...imports],
    providers: [
      { provide: PinoLogger, inject: [TelemetrySettings, Secrets], useFactory: stderrLogger },
      {
        provide: OpenTelemetry,
        inject: [TelemetrySettings, ServerSettings, ShutdownSettings],
        useFactory: (settings: TelemetrySettings, server: ServerSettings, { telemetryMs }: ShutdownSettings) =>
          OpenTelemetry.start(settings, servesMetrics(server), telemetryMs),
      },
      {
        provide: UpstreamObserver,
        inject: [OpenTelemetry],
        // Without metrics there is no observer, and requests are not timed.
        useFactory: (started: OpenTelemetry) => (started.measuring ? new UpstreamMetrics(started) : undefined),
      },
      CallMetrics,
      SessionState,
      StateMetrics,
      ProcessMetrics,
      MetricsPage,
    ],
    exports: [PinoLogger, OpenTelemetry, UpstreamObserver, CallMetrics, MetricsPage],
  };
}
