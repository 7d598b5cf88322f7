import { type DynamicModule, Global, Module, type ModuleMetadata } from '@nestjs/common';
import { AuditModule } from '../audit/audit.module.js';
import { AuthModule } from '../auth/auth.module.js';
import { Secrets } from '../config/secrets.js';
import { ServerSettings } from '../config/server.settings.js';
import { TelemetrySettings } from '../config/telemetry.settings.js';
import { LimitsModule } from '../guardrails/limits/limits.module.js';
import { ManagedAgentsModule } from '../managed-agents/managed-agents.module.js';
import { UpstreamObserver } from '../managed-agents/upstream-observer.js';
import { PinoLogger } from './logs/pino.logger.js';
import { stderrLogger } from './logs/stderr.js';
import { CallMetrics } from './metrics/call-metrics.js';
import { MetricsPage } from './metrics/metrics-page.js';
import { ProcessMetrics } from './metrics/process-metrics.js';
import { StateMetrics, Watching } from './metrics/state-metrics.js';
import { UpstreamMetrics } from './metrics/upstream-metrics.js';
import { OpenTelemetry } from './open-telemetry.js';

/**
 * How the server is seen from outside: logs, traces and metrics. Global, because the client of the API tells whoever
 * counts its requests, and knows nobody by name.
 */
@Global()
@Module({})
export class TelemetryModule {
  static forHttp(): DynamicModule {
    return telemetry(({ managementPort }) => managementPort !== undefined, [AuthModule]);
  }

  /** There is no port on which metrics could be read. */
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
        inject: [TelemetrySettings, ServerSettings],
        useFactory: (settings: TelemetrySettings, server: ServerSettings) =>
          OpenTelemetry.start(settings, servesMetrics(server)),
      },
      {
        provide: UpstreamObserver,
        inject: [OpenTelemetry],
        // None where nobody would see it: then requests are not even timed.
        useFactory: (started: OpenTelemetry) => (started.measuring ? new UpstreamMetrics(started) : undefined),
      },
      CallMetrics,
      Watching,
      StateMetrics,
      ProcessMetrics,
      MetricsPage,
    ],
    exports: [PinoLogger, OpenTelemetry, UpstreamObserver, CallMetrics, MetricsPage],
  };
}
