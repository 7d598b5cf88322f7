import { type DynamicModule, Module, type ModuleMetadata, type Provider } from '@nestjs/common';
import { APP_FILTER, DiscoveryModule } from '@nestjs/core';
import { type ServerContext } from '@modelcontextprotocol/server';
import { MCP_HTTP_HANDLER, McpStrategy, StdioTransport, StreamableHttpTransport } from '@rekog/mcp-nest';
import { principalOf } from '../auth/authenticated-request.js';
import { LOCAL_PRINCIPAL, type Principal } from '../auth/principal.js';
import { ServerSettings } from '../config/server.settings.js';
import { McpExceptionFilter } from './errors/mcp-exception.filter.js';
import { allowedHosts, allowedOrigins } from './host-names.js';
import { McpHttpController } from './http/mcp-http.controller.js';
import { INSTRUCTIONS } from './instructions.js';
import { withToolCallPath } from './mcp-server.js';
import { RunningCalls } from './running-calls.js';
import { SERVER_NAME, SERVER_TITLE, SERVER_VERSION } from './server-identity.js';
import { ToolCallObserver } from './tool-access.js';
import { ToolList } from './tool-list.js';
import { ToolRegistry } from './tool-registry.js';

type Transport = StreamableHttpTransport | StdioTransport;
type CallParts = [ToolRegistry, ToolList, ToolCallObserver, RunningCalls];
type PrincipalSource = (context: ServerContext) => Principal;

/**
 * The MCP server over one transport. `imports` bring the guardrails (`ToolAccess`) and the audit (`ToolCallObserver`).
 * Entry points connect the {@link McpStrategy} as a Nest microservice, with `inheritAppConfig` in hybrid applications:
 * without it global guards, filters and interceptors would silently not apply to tools.
 */
@Module({})
export class McpModule {
  static forHttp(imports: ModuleMetadata['imports']): DynamicModule {
    return {
      ...describeModule(imports, networkPrincipal, {
        provide: StreamableHttpTransport,
        inject: [ServerSettings],
        useFactory: httpTransport,
      }),
      controllers: [McpHttpController],
    };
  }

  static forStdio(imports: ModuleMetadata['imports']): DynamicModule {
    return describeModule(imports, () => LOCAL_PRINCIPAL, {
      provide: StdioTransport,
      useFactory: () => new StdioTransport(),
    });
  }
}

type TransportProvider = Exclude<Provider<Transport>, new (...args: never[]) => unknown> & {
  provide: new (...args: never[]) => Transport;
};

function describeModule(
  imports: ModuleMetadata['imports'],
  source: PrincipalSource,
  transport: TransportProvider,
): DynamicModule {
  return {
    module: McpModule,
    imports: [DiscoveryModule, ...(imports ?? [])],
    providers: [
      ToolRegistry,
      ToolList,
      RunningCalls,
      transport,
      {
        provide: McpStrategy,
        inject: [transport.provide, ToolRegistry, ToolList, ToolCallObserver, RunningCalls],
        useFactory: (instance: Transport, ...[registry, list, observer, running]: CallParts) =>
          new McpStrategy({
            name: SERVER_NAME,
            title: SERVER_TITLE,
            version: SERVER_VERSION,
            instructions: INSTRUCTIONS,
            transports: [instance],
            // Stated, because the defaults would promise list changes and log messages that are never sent.
            capabilities: { tools: { listChanged: false }, logging: undefined },
            serverMutator: (server) =>
              withToolCallPath(server, { registry, list, observer, running, principalOf: source }),
          }),
      },
      {
        provide: MCP_HTTP_HANDLER,
        inject: [transport.provide],
        useFactory: (instance: Transport) => ('httpHandlers' in instance ? instance.httpHandlers : undefined),
      },
      { provide: APP_FILTER, useClass: McpExceptionFilter },
    ],
  };
}

function httpTransport(settings: ServerSettings): StreamableHttpTransport {
  return new StreamableHttpTransport({
    protocol: 'dual',
    enableJsonResponse: true,
    security: { allowedHosts: allowedHosts(settings), allowedOrigins: allowedOrigins(settings) },
  });
}

/** The authentication guard stands before every route, so a call without a principal is a mistake, not a guest. */
function networkPrincipal(context: ServerContext): Principal {
  const principal = principalOf(context.http?.authInfo);
  if (!principal) throw new Error('an HTTP request reached MCP without a principal');
  return principal;
}
