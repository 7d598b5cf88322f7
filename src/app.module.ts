import { type DynamicModule, Module } from '@nestjs/common';
import { AuditModule } from './audit/audit.module.js';
import { AuthModule } from './auth/auth.module.js';
import { ConfigModule } from './config/config.module.js';
import { DiscoverModule } from './discover/discover.module.js';
import { GuardrailsModule } from './guardrails/guardrails.module.js';
import { InteractModule } from './interact/interact.module.js';
import { McpModule } from './mcp/mcp.module.js';
import { SessionModule } from './session/session.module.js';

/** In the order in which clients see their tools. */
const TOOL_MODULES = [DiscoverModule, SessionModule, InteractModule];
const AROUND_TOOLS = [GuardrailsModule, AuditModule];

/** The composition root: the only place that knows every module. */
@Module({})
export class AppModule {
  /** Served over HTTP: every request is authenticated. */
  static forHttp(): DynamicModule {
    return {
      module: AppModule,
      imports: [ConfigModule.forEntry('http'), AuthModule, ...TOOL_MODULES, McpModule.forHttp(AROUND_TOOLS)],
    };
  }

  /** Served over HTTP by AWS Lambda. */
  static forLambda(): DynamicModule {
    return {
      module: AppModule,
      imports: [ConfigModule.forEntry('lambda'), AuthModule, ...TOOL_MODULES, McpModule.forLambda(AROUND_TOOLS)],
    };
  }

  /** Served to the one process that started it. */
  static forStdio(): DynamicModule {
    return {
      module: AppModule,
      imports: [ConfigModule.forEntry('stdio'), ...TOOL_MODULES, McpModule.forStdio(AROUND_TOOLS)],
    };
  }
}
