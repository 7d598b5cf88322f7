import { type IncomingMessage } from 'node:http';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { type AsyncMicroserviceOptions } from '@nestjs/microservices';
import { McpStrategy } from '@rekog/mcp-nest';
import { AppModule } from '../app.module.js';
import { ServerSettings } from '../config/server.settings.js';
import { REQUEST_ID_HEADER, requestIdOf, runRequest } from '../context/request.js';
import { answerHttpError, type Reply } from '../mcp/errors/http-error.js';
import { PinoLogger } from '../telemetry/logs/pino.logger.js';
import { OpenTelemetry } from '../telemetry/open-telemetry.js';
import { traceRequests } from '../telemetry/traces/http-spans.js';
import { ClientConnections } from './client-connections.js';
import { Ending } from './ending.js';
import { listenForManagement } from './management.js';

/** Largest request body, in bytes. */
const MAX_BODY_BYTES = 4 * 1024 * 1024;

/** Time a client has to send its request whole; without it a slow body would hold a connection for ever. */
const REQUEST_TIMEOUT_MS = 30_000;

/** Options of Fastify: every request has an id from the moment it arrives. */
const requestIds = {
  // Fastify's own way takes whatever the header holds.
  requestIdHeader: false as const,
  genReqId: ({ headers }: Pick<IncomingMessage, 'headers'>): string => requestIdOf(headers[REQUEST_ID_HEADER]),
};

/** The application behind HTTP, ready to listen. Throws a `ConfigurationError` when the settings are not usable. */
export async function createHttpApp(root = AppModule.forHttp()): Promise<NestFastifyApplication> {
  const app = await NestFactory.create<NestFastifyApplication>(
    root,
    new FastifyAdapter({
      bodyLimit: MAX_BODY_BYTES,
      requestTimeout: REQUEST_TIMEOUT_MS,
      frameworkErrors: answerFrameworkError,
      ...requestIds,
      // The hook that refuses late requests says more.
      return503OnClosing: false,
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
  // After the body was read, because the events of reading it come from outside of any asynchronous context.
  fastify.addHook('preHandler', (request, _reply, done) => runRequest({ requestId: request.id }, done));
}

/** What Fastify refuses before any route, such as an address that cannot be decoded. */
function answerFrameworkError(error: Error, request: { readonly id: string }, reply: unknown): void {
  answerHttpError(error, (reply as Reply).header(REQUEST_ID_HEADER, request.id));
}

/** Serves until a signal ends the process. A terminal's is from a person, who need not wait for load balancers. */
export async function runHttp(): Promise<void> {
  const app = await createHttpApp();
  const { host, port } = app.get(ServerSettings);
  const logger = app.get(PinoLogger);
  const connections = new ClientConnections(app);
  const ending = new Ending(app, () => connections.answered());
  ending.onSignals((signal) => signal === 'SIGTERM');
  await app.listen(port, host);
  // Second, so that nothing there says ready before requests are taken.
  const management = await listenForManagement(app);
  ending.last = management;
  if (management) logger.announce(`health is served at ${await management.getUrl()}/readyz`, 'Http');
  logger.announce(`MCP is served at ${await app.getUrl()}/mcp`, 'Http');
}
