import { type IncomingMessage } from 'node:http';
import { BlockList, isIPv6 } from 'node:net';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { type AsyncMicroserviceOptions } from '@nestjs/microservices';
import { McpStrategy } from '@rekog/mcp-nest';
import { AppModule } from '../app.module.js';
import { ServerSettings } from '../config/server.settings.js';
import { REQUEST_ID_HEADER, requestIdOf, runRequest } from '../context/request.js';
import { answerHttpError, type Reply } from '../mcp/errors/http-error.js';
import { withoutTrailingSlash } from '../mcp/http/mcp-paths.js';
import { PinoLogger } from '../telemetry/logs/pino.logger.js';
import { OpenTelemetry } from '../telemetry/open-telemetry.js';
import { traceRequests } from '../telemetry/traces/http-spans.js';
import { allowOrigins } from './cors.js';
import { ClientConnections } from './client-connections.js';
import { GracefulShutdown } from './graceful-shutdown.js';
import { listen } from './listen.js';
import { listenForManagement } from './management.js';
import { guardBodies, MAX_BODY_BYTES } from './request-bodies.js';

/** Time for a client to send its whole request, in milliseconds; without it a slow body could hold a connection forever. */
const REQUEST_TIMEOUT_MS = 30_000;

/** Options of Fastify: every request has an id from its arrival on. */
const requestIds = {
  // Fastify's own option accepts any text of the header.
  requestIdHeader: false as const,
  genReqId: ({ headers }: Pick<IncomingMessage, 'headers'>): string => requestIdOf(headers[REQUEST_ID_HEADER]),
};

/** The HTTP application, ready to listen. Throws a `ConfigurationError` when the settings are not valid. */
export async function createHttpApp(root = AppModule.forHttp()): Promise<NestFastifyApplication> {
  // Nest reads the settings after Fastify has been configured.
  let isTrustedProxy = (_address: string): boolean => false;
  const app = await NestFactory.create<NestFastifyApplication>(
    root,
    new FastifyAdapter({
      bodyLimit: MAX_BODY_BYTES,
      requestTimeout: REQUEST_TIMEOUT_MS,
      frameworkErrors: answerFrameworkError,
      ...requestIds,
      rewriteUrl: ({ url = '/' }) => withoutTrailingSlash(url),
      // `request.protocol` and `request.host` then come from X-Forwarded-*; see PublicUrl.
      trustProxy: (address) => isTrustedProxy(address),
      // Late requests are refused by a hook, with more detail.
      return503OnClosing: false,
    }),
    // Errors before the log level is known are thrown and reported once by the caller.
    { logger: false, abortOnError: false },
  );
  app.useLogger(app.get(PinoLogger));
  isTrustedProxy = trustedProxies(app.get(ServerSettings).trustedProxies);
  giveRequestIds(app);
  allowOrigins(app);
  if (app.get(OpenTelemetry).tracing) traceRequests(app);
  guardBodies(app);
  app.connectMicroservice<AsyncMicroserviceOptions>(
    { inject: [McpStrategy], useFactory: (strategy: McpStrategy) => ({ strategy }) },
    // Without this, global guards, filters and interceptors do not apply to tools.
    { inheritAppConfig: true },
  );
  await app.startAllMicroservices();
  return app;
}

/** Answers every request with its id, and runs everything that is done for it as that request. */
function giveRequestIds(app: NestFastifyApplication): void {
  const fastify = app.getHttpAdapter().getInstance();
  fastify.addHook('onRequest', (request, reply, done) => {
    // On Node's own response: MCP answers past Fastify.
    reply.raw.setHeader(REQUEST_ID_HEADER, request.id);
    done();
  });
  fastify.addHook('preParsing', (request, _reply, _payload, done) => runRequest({ requestId: request.id }, done));
  // Again after the body was read, because the events of reading it come from outside of any asynchronous context.
  fastify.addHook('preHandler', (request, _reply, done) => runRequest({ requestId: request.id }, done));
}

/**
 * The trust function for `MCP_TRUSTED_PROXIES`. The list is compared by Node's BlockList and not by Fastify's own proxy-addr,
 * which refuses networks with the prefix 0.
 */
function trustedProxies(entries: readonly string[]): (address: string | undefined) => boolean {
  const proxies = new BlockList();
  for (const entry of entries) {
    const [address = '', prefix] = entry.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    if (prefix === undefined) proxies.addAddress(address, family);
    else proxies.addSubnet(address, Number(prefix), family);
  }
  return (address = '') => {
    // The address of an IPv4 peer of a dual-stack socket.
    const plain = address.replace(/^::ffff:(?=\d+\.)/i, '');
    return proxies.check(plain, isIPv6(plain) ? 'ipv6' : 'ipv4');
  };
}

/** Answers requests that Fastify refuses before any route, such as an address that cannot be decoded. */
function answerFrameworkError(error: Error, request: { readonly id: string }, reply: unknown): void {
  answerHttpError(error, (reply as Reply).header(REQUEST_ID_HEADER, request.id));
}

/** Serves until a signal ends the process. Only SIGTERM waits for load balancers: SIGINT and SIGHUP come from a terminal. */
export async function runHttp(): Promise<void> {
  const app = await createHttpApp();
  const { host, port } = app.get(ServerSettings);
  const logger = app.get(PinoLogger);
  const connections = new ClientConnections(app);
  const shutdown = new GracefulShutdown(app, () => connections.answered());
  shutdown.onSignals((signal) => signal === 'SIGTERM');
  await listen(app, { host, port, setting: 'MCP_PORT' }, logger);
  // Second, so that readiness is not reported before requests are accepted.
  const management = await listenForManagement(app);
  shutdown.last = management;
  if (management) logger.announce(`health is served at ${await management.getUrl()}/readyz`, 'Http');
  logger.announce(`MCP is served at ${await app.getUrl()}/mcp`, 'Http');
}
