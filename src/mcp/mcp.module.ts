import { type DynamicModule, Module, type ModuleMetadata, type Provider, type Type } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { type ServerContext } from '@modelcontextprotocol/server';
import { MCP_HTTP_HANDLER, McpStrategy, StdioTransport, StreamableHttpTransport } from '@rekog/mcp-nest';
import { AuthModule } from '../auth/auth.module.js';
import { principalOf } from '../auth/authenticated-request.js';
import { ServerSettings } from '../config/server.settings.js';
import { LOCAL_PRINCIPAL, type Principal } from '../context/principal.js';
import { McpExceptionFilter } from './errors/mcp-exception.filter.js';
import { allowedHosts, allowedOrigins } from './host-names.js';
import { McpHttpController } from './http/mcp-http.controller.js';
import { INSTRUCTIONS } from './instructions.js';
import { RegistryModule } from './registry.module.js';
import { RunningCalls } from './running-calls.js';
import { ShutdownModule } from './shutdown.module.js';
import { SERVER_NAME, SERVER_TITLE, SERVER_VERSION } from './server-identity.js';
import { type PrincipalSource, ToolCallPath } from './tool-call-path.js';
import { TOOL_CALL_OBSERVERS, type ToolCallObserver } from './tool-access.js';
import { ToolList } from './tool-list.js';

/** What stands around the tools, from rooms that this one does not know. */
export interface Surroundings {
  readonly imports?: NonNullable<ModuleMetadata['imports']>;
  /** Told about every call, in this order; `imports` provide them. */
  readonly observers: readonly Type<ToolCallObserver>[];
}

/**
 * The MCP server over one transport. `imports` bring the guardrails (`ToolAccess`) and the observers of calls.
 * Entry points connect the {@link McpStrategy} as a Nest microservice, with `inheritAppConfig` in hybrid applications:
 * without it global guards and filters would silently not apply to tools.
 */
@Module({})
export class McpModule {
  static forHttp(surroundings: Surroundings): DynamicModule {
    return McpModule.overHttp(surroundings, httpTransport);
  }

  static forLambda(surroundings: Surroundings): DynamicModule {
    return McpModule.overHttp(surroundings, lambdaTransport);
  }

  private static overHttp({ imports = [], observers }: Surroundings, useFactory: typeof httpTransport): DynamicModule {
    const transport: Provider[] = [
      { provide: StreamableHttpTransport, inject: [ServerSettings], useFactory },
      {
        provide: MCP_HTTP_HANDLER,
        inject: [StreamableHttpTransport],
        useFactory: (http: StreamableHttpTransport) => http.httpHandlers,
      },
      {
        provide: McpStrategy,
        inject: [StreamableHttpTransport, ToolCallPath],
        useFactory: (http: StreamableHttpTransport, path: ToolCallPath) => strategy(http, path, networkPrincipal),
      },
    ];
    const around = { imports: [AuthModule, ...imports], observers };
    return { ...withTransport(around, transport), controllers: [McpHttpController] };
  }

  static forStdio(surroundings: Surroundings): DynamicModule {
    return withTransport(surroundings, [
      {
        provide: McpStrategy,
        inject: [ToolCallPath],
        useFactory: (path: ToolCallPath) => strategy(new StdioTransport(), path, () => LOCAL_PRINCIPAL),
      },
    ]);
  }
}

function withTransport({ imports = [], observers }: Surroundings, transport: Provider[]): DynamicModule {
  return {
    module: McpModule,
    imports: [RegistryModule, ShutdownModule, ...imports],
    providers: [
      ToolList,
      RunningCalls,
      ToolCallPath,
      {
        provide: TOOL_CALL_OBSERVERS,
        inject: [...observers],
        useFactory: (...all: ToolCallObserver[]) => all,
      },
      { provide: APP_FILTER, useClass: McpExceptionFilter },
      ...transport,
    ],
  };
}

function strategy(
  transport: StreamableHttpTransport | StdioTransport,
  path: ToolCallPath,
  principal: PrincipalSource,
): McpStrategy {
  return new McpStrategy({
    name: SERVER_NAME,
    title: SERVER_TITLE,
    version: SERVER_VERSION,
    instructions: INSTRUCTIONS,
    transports: [transport],
    // Stated, because the defaults would promise list changes and log messages that are never sent.
    capabilities: { tools: { listChanged: false }, logging: undefined },
    serverMutator: (server) => path.install(server, principal),
  });
}

function httpTransport(settings: ServerSettings): StreamableHttpTransport {
  return new StreamableHttpTransport({
    protocol: 'dual',
    enableJsonResponse: true,
    security: { allowedHosts: allowedHosts(settings), allowedOrigins: allowedOrigins(settings) },
  });
}

/**
 * Any `Host`: AWS finds the function by the name in the request, so a name of an attacker's that resolves to AWS (DNS
 * rebinding) never gets here, and a function cannot know its own names. Browsers' `Origin` is checked as everywhere.
 */
function lambdaTransport(settings: ServerSettings): StreamableHttpTransport {
  return new StreamableHttpTransport({
    protocol: 'dual',
    enableJsonResponse: true,
    security: { allowedOrigins: allowedOrigins(settings) },
  });
}

/** The authentication guard stands before every route, so a call without a principal is a mistake, not a guest. */
function networkPrincipal(context: ServerContext): Principal {
  const principal = principalOf(context.http?.authInfo);
  if (!principal) throw new Error('an HTTP request reached MCP without a principal');
  return principal;
}
