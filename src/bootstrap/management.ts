import { type INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { ServerSettings } from '../config/server.settings.js';
import { ManagementModule } from '../management.module.js';
import { PinoLogger } from '../telemetry/logs/pino.logger.js';
import { listen } from './listen.js';

/** Probes and scrapes have no body. In bytes. */
const MAX_BODY_BYTES = 1024;
/** In milliseconds. */
const REQUEST_TIMEOUT_MS = 5000;

/** Serves the management routes on their own port, when `MCP_MANAGEMENT_PORT` is set, until it is closed. */
export async function listenForManagement(app: INestApplication): Promise<NestFastifyApplication | undefined> {
  const { host, managementPort } = app.get(ServerSettings);
  if (managementPort === undefined) return undefined;
  const logger = app.get(PinoLogger);
  const management = await NestFactory.create<NestFastifyApplication>(
    ManagementModule.over(app),
    new FastifyAdapter({
      bodyLimit: MAX_BODY_BYTES,
      requestTimeout: REQUEST_TIMEOUT_MS,
      // Open connections of probes must not delay the shutdown.
      forceCloseConnections: true,
    }),
    // The logger is shared by the whole process; without this option Nest would replace it.
    { logger, abortOnError: false },
  );
  await listen(management, { host, port: managementPort, setting: 'MCP_MANAGEMENT_PORT' }, logger);
  return management;
}
