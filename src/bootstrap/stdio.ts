import { NestFactory } from '@nestjs/core';
import { type AsyncMicroserviceOptions } from '@nestjs/microservices';
import { McpStrategy } from '@rekog/mcp-nest';
import { AppModule } from '../app.module.js';
import { PinoLogger } from '../telemetry/logs/pino.logger.js';
import { GracefulShutdown } from './graceful-shutdown.js';

/** Serves the process that started this one, until it closes stdin or a signal arrives. */
export async function runStdio(): Promise<void> {
  const app = await NestFactory.createMicroservice<AsyncMicroserviceOptions>(AppModule.forStdio(), {
    inject: [McpStrategy],
    useFactory: (strategy: McpStrategy) => ({ strategy }),
    // Errors before the log level is known are thrown and reported once by the caller.
    logger: false,
    abortOnError: false,
  });
  app.useLogger(app.get(PinoLogger));
  // The last answer is written right after its call has ended.
  const shutdown = new GracefulShutdown(app, () => new Promise(setImmediate));
  shutdown.onSignals(() => false);
  await app.listen();
  // A client ends a stdio server by closing stdin.
  process.stdin.once('end', () => shutdown.start('end of stdin'));
}
