import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { type AsyncMicroserviceOptions } from '@nestjs/microservices';
import { McpStrategy } from '@rekog/mcp-nest';
import { AppModule } from '../app.module.js';
import { ServerSettings } from '../config/server.settings.js';
import { answerHttpError, type Reply } from '../mcp/errors/http-error.js';
import { REQUEST_ID_HEADER } from '../mcp/request-id.js';
import { PinoLogger } from '../telemetry/logs/pino.logger.js';
import { OpenTelemetry } from '../telemetry/open-telemetry.js';
import { traceRequests } from '../telemetry/traces/http-spans.js';
import { listenForManagement } from './management.js';
import { giveRequestIds, requestIds } from './request-scope.js';

/** Largest request body, in bytes. */
const MAX_BODY_BYTES = 4 * 1024 * 1024;

/** Time a client has to send its request whole; without it a slow body would hold a connection for ever. */
const REQUEST_TIMEOUT_MS = 30_000;
/** By the time connections are closed the tool calls have ended, and only their answers may be on the way. */
const CLOSE_GRACE_MS = 1000;

/** The application behind HTTP, ready to listen. Throws a `ConfigurationError` when the settings are not usable. */
export async function createHttpApp(): Promise<NestFastifyApplication> {
  const app = await NestFactory.create<NestFastifyApplication>(
    AppModule.forHttp(),
    new FastifyAdapter({
      bodyLimit: MAX_BODY_BYTES,
      requestTimeout: REQUEST_TIMEOUT_MS,
      frameworkErrors: answerFrameworkError,
      ...requestIds,
    }),
    // What goes wrong before the log level is known is thrown, and reported once by the caller.
    { logger: false, abortOnError: false },
  );
  app.useLogger(app.get(PinoLogger));
  giveRequestIds(app);
  if (app.get(OpenTelemetry).tracing) traceRequests(app);
  app.connectMicroservice<AsyncMicroserviceOptions>(
    { inject: [McpStrategy], useFactory: (strategy: McpStrategy) => ({ strategy }) },
    // Without this, global guards, filters and interceptors do not apply to tools.
    { inheritAppConfig: true },
  );
  closeLingeringConnections(app);
  await app.startAllMicroservices();
  app.enableShutdownHooks();
  return app;
}

/** What Fastify refuses before any route, such as an address that cannot be decoded. */
function answerFrameworkError(error: Error, request: { readonly id: string }, reply: unknown): void {
  answerHttpError(error, (reply as Reply).header(REQUEST_ID_HEADER, request.id));
}

/** Node never counts a connection without any request as idle, and such a one would hold up the end for a minute. */
function closeLingeringConnections(app: NestFastifyApplication): void {
  const fastify = app.getHttpAdapter().getInstance();
  fastify.addHook('preClose', (done) => {
    setTimeout(() => fastify.server.closeAllConnections(), CLOSE_GRACE_MS).unref();
    done();
  });
}

/** Serves until a signal ends the process. */
export async function runHttp(): Promise<void> {
  const app = await createHttpApp();
  const { host, port } = app.get(ServerSettings);
  const logger = app.get(PinoLogger);
  await app.listen(port, host);
  // Second, so that nothing there says ready before requests are taken.
  const management = await listenForManagement(app);
  if (management) logger.announce(`health is served at ${await management.getUrl()}/readyz`, 'Http');
  logger.announce(`MCP is served at ${await app.getUrl()}/mcp`, 'Http');
}
