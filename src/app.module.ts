import { type DynamicModule, Module } from '@nestjs/common';
import { AuditModule } from './audit/audit.module.js';
import { AuditService } from './audit/audit.service.js';
import { AuthModule } from './auth/auth.module.js';
import { FacadeModule } from './auth/facade/facade.module.js';
import { ConfigModule } from './config/config.module.js';
import { DiscoverModule } from './discover/discover.module.js';
import { GuardrailsModule } from './guardrails/guardrails.module.js';
import { HealthModule } from './health/health.module.js';
import { InteractModule } from './interact/interact.module.js';
import { McpModule, type McpModuleOptions } from './mcp/mcp.module.js';
import { SessionModule } from './session/session.module.js';
import { CallMetrics } from './telemetry/metrics/call-metrics.js';
import { TelemetryModule } from './telemetry/telemetry.module.js';

/** In the order in which clients see their tools. The documentation and the tests take their lists of tools from here. */
export const TOOL_MODULES = [DiscoverModule, SessionModule, InteractModule];
/** Who observes tool calls, and who decides whether they may be made. */
const mcpOptions = (telemetry: DynamicModule): McpModuleOptions => ({
  imports: [GuardrailsModule, AuditModule, telemetry],
  observers: [AuditService, CallMetrics],
});

/** The settings, authentication, and the OAuth facade where the settings switch it on. */
function withSignIn(config: Promise<DynamicModule>): (Promise<DynamicModule> | typeof AuthModule)[] {
  return [config, AuthModule, FacadeModule.where(config)];
}

/** The composition root: the only place that knows every module. */
@Module({})
export class AppModule {
  /** Served over HTTP: every request is authenticated. */
  static forHttp(): DynamicModule {
    return {
      module: AppModule,
      imports: [
        ...withSignIn(ConfigModule.forEntry('http')),
        ...TOOL_MODULES,
        McpModule.forHttp(mcpOptions(TelemetryModule.forHttp())),
        HealthModule,
      ],
    };
  }

  /** Served over HTTP by AWS Lambda. */
  static forLambda(): DynamicModule {
    return {
      module: AppModule,
      imports: [
        ...withSignIn(ConfigModule.forEntry('lambda')),
        ...TOOL_MODULES,
        McpModule.forLambda(mcpOptions(TelemetryModule.forLambda())),
        HealthModule,
      ],
    };
  }

  /** Served to the one process that started it. */
  static forStdio(): DynamicModule {
    return {
      module: AppModule,
      imports: [
        ConfigModule.forEntry('stdio'),
        ...TOOL_MODULES,
        McpModule.forStdio(mcpOptions(TelemetryModule.forStdio())),
      ],
    };
  }
}
