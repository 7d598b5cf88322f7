import { type INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { ServerSettings } from '../config/server.settings.js';
import { ManagementModule } from '../management.module.js';
import { PinoLogger } from '../telemetry/logs/pino.logger.js';

/** Probes and scrapes have no body worth reading, in bytes, and are sent at once, in milliseconds. */
const MAX_BODY_BYTES = 1024;
const REQUEST_TIMEOUT_MS = 5000;

/** Serves the management routes on their own port, where one is set, until it is closed. */
export async function listenForManagement(app: INestApplication): Promise<NestFastifyApplication | undefined> {
  const { host, managementPort } = app.get(ServerSettings);
  if (managementPort === undefined) return undefined;
  const management = await NestFactory.create<NestFastifyApplication>(
    ManagementModule.over(app),
    new FastifyAdapter({
      bodyLimit: MAX_BODY_BYTES,
      requestTimeout: REQUEST_TIMEOUT_MS,
      // Whoever probes until the end must not hold it up.
      forceCloseConnections: true,
    }),
    // There is one logger for the whole process; without one here Nest would take it away from everybody.
    { logger: app.get(PinoLogger), abortOnError: false },
  );
  await management.listen(managementPort, host);
  return management;
}
