import { type DynamicModule, Module, type ModuleMetadata, type Provider, type Type } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { type McpServer, type ServerContext } from '@modelcontextprotocol/server';
import { MCP_HTTP_HANDLER, McpStrategy, type StdioTransport, StreamableHttpTransport } from '@rekog/mcp-nest';
import { AuthModule } from '../auth/auth.module.js';
import { principalOf } from '../auth/authenticated-request.js';
import { Secrets } from '../config/secrets.js';
import { LOCAL_HOSTS } from '../config/secure-url.js';
import { ServerSettings } from '../config/server.settings.js';
import { LOCAL_PRINCIPAL, type Principal } from '../context/principal.js';
import { McpExceptionFilter } from './errors/mcp-exception.filter.js';
import { McpHttpController } from './http/mcp-http.controller.js';
import { INSTRUCTIONS, SERVER_NAME, SERVER_TITLE, SERVER_VERSION } from './server-identity.js';
import { RegistryModule } from './tool-registry.js';
import { RunningCalls, ShutdownModule } from './shutdown.js';
import { StdioWire } from './stdio/stdio-wire.js';
import { WiredStdioTransport } from './stdio/stdio.transport.js';
import { ToolCallPath } from './tool-call-path.js';
import { TOOL_CALL_OBSERVERS, type ToolCallObserver } from './tool-call-observer.js';
import { ToolList } from './tool-list.js';
import { withoutSecrets } from './without-secrets.js';

/** What the composition root adds to the tools, from modules that this one does not know. */
export interface McpModuleOptions {
  readonly imports?: NonNullable<ModuleMetadata['imports']>;
  /** Called for every tool call, in this order; `imports` provide them. */
  readonly observers: readonly Type<ToolCallObserver>[];
}

/**
 * The MCP server over one transport. `imports` bring the guardrails (`ToolAccess`) and the observers of calls.
 * Entry points connect the {@link McpStrategy} as a Nest microservice, with `inheritAppConfig` in hybrid applications:
 * without it global guards and filters would silently not apply to tools.
 */
@Module({})
export class McpModule {
  static forHttp(options: McpModuleOptions): DynamicModule {
    return McpModule.overHttp(options, httpTransport);
  }

  static forLambda(options: McpModuleOptions): DynamicModule {
    return McpModule.overHttp(options, lambdaTransport);
  }

  private static overHttp(
    { imports = [], observers }: McpModuleOptions,
    useFactory: typeof httpTransport,
  ): DynamicModule {
    const transport: Provider[] = [
      { provide: StreamableHttpTransport, inject: [ServerSettings], useFactory },
      {
        provide: MCP_HTTP_HANDLER,
        inject: [StreamableHttpTransport],
        useFactory: (http: StreamableHttpTransport) => http.httpHandlers,
      },
      {
        provide: McpStrategy,
        inject: [StreamableHttpTransport, ToolCallPath, Secrets],
        useFactory: (http: StreamableHttpTransport, path: ToolCallPath, secrets: Secrets) =>
          strategy(http, (server) => path.install(withoutSecrets(server, secrets), networkPrincipal)),
      },
    ];
    const options = { imports: [AuthModule, ...imports], observers };
    return { ...withTransport(options, transport), controllers: [McpHttpController] };
  }

  static forStdio(options: McpModuleOptions): DynamicModule {
    return withTransport(options, [
      { provide: StdioWire, useFactory: () => new StdioWire() },
      {
        provide: McpStrategy,
        inject: [StdioWire, ToolCallPath, Secrets],
        useFactory: (wire: StdioWire, path: ToolCallPath, secrets: Secrets) =>
          strategy(new WiredStdioTransport(wire), (server) =>
            path.install(withoutSecrets(server, secrets), () => LOCAL_PRINCIPAL),
          ),
      },
    ]);
  }
}

function withTransport({ imports = [], observers }: McpModuleOptions, transport: Provider[]): DynamicModule {
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
  serverMutator: (server: McpServer) => McpServer,
): McpStrategy {
  return new McpStrategy({
    name: SERVER_NAME,
    title: SERVER_TITLE,
    version: SERVER_VERSION,
    instructions: INSTRUCTIONS,
    transports: [transport],
    // Set, because the defaults would announce list changes and log messages that are never sent.
    capabilities: { tools: { listChanged: false }, logging: undefined },
    serverMutator,
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
 * Any `Host` is accepted: AWS finds the function by the host name of the request, so a request with another name (DNS
 * rebinding) never reaches it, and a function cannot know its own names. The `Origin` that browsers send is checked.
 */
function lambdaTransport(settings: ServerSettings): StreamableHttpTransport {
  return new StreamableHttpTransport({
    protocol: 'dual',
    enableJsonResponse: true,
    security: { allowedOrigins: allowedOrigins(settings) },
  });
}

/** The authentication guard runs before every route, so a call without a principal is a defect. */
function networkPrincipal(context: ServerContext): Principal {
  const principal = principalOf(context.http?.authInfo);
  if (!principal) throw new Error('an HTTP request reached MCP without a principal');
  return principal;
}

const ANY_ADDRESS = new Set(['0.0.0.0', '::', '[::]']);

/** The host names under which clients may address this server; the check prevents DNS rebinding. */
function allowedHosts(settings: ServerSettings): string[] {
  return [...ownNames(settings), ...settings.allowedHosts];
}

/** The hosts whose pages may call this server from a browser. */
function allowedOrigins(settings: ServerSettings): string[] {
  return [...ownNames(settings), ...settings.allowedOrigins];
}

function ownNames({ host, publicUrl }: ServerSettings): string[] {
  const bound = ANY_ADDRESS.has(host) ? [] : [host.includes(':') && !host.startsWith('[') ? `[${host}]` : host];
  const published = publicUrl === undefined ? [] : [new URL(publicUrl).hostname];
  return [...LOCAL_HOSTS, ...bound, ...published];
}
