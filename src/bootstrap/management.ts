import {
  type DynamicModule,
  type INestApplication,
  type INestApplicationContext,
  Module,
  type Provider,
  type Type,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { ServerSettings } from '../config/server.settings.js';
import { PinoLogger } from '../telemetry/logs/pino.logger.js';
import { listen } from './listen.js';
import { HealthController } from '../health/health.controller.js';
import { Readiness } from '../health/readiness.js';
import { MetricsController, MetricsPage } from '../telemetry/metrics/metrics.controller.js';

/** What is served on the management port, and what of the application it is made from. */
const CONTROLLERS: Type[] = [HealthController, MetricsController];
const INSTANCES: Type[] = [Readiness, MetricsPage];

/**
 * The composition root of the management port: controllers of its own over instances of the application. Instances that
 * have life cycle hooks do not belong here, since Nest would call them once more.
 */
@Module({})
class ManagementModule {
  static over(app: INestApplicationContext): DynamicModule {
    const instances = INSTANCES.map<Provider>((provide) => ({
      provide,
      useValue: app.get<unknown>(provide, { strict: false }),
    }));
    return { module: ManagementModule, controllers: CONTROLLERS, providers: instances };
  }
}

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
