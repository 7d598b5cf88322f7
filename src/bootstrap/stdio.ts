import { type INestMicroservice } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { type AsyncMicroserviceOptions } from '@nestjs/microservices';
import { McpStrategy } from '@rekog/mcp-nest';
import { AppModule } from '../app.module.js';
import { PinoLogger } from '../telemetry/logs/pino.logger.js';

/** Serves the process that started this one, until it closes stdin or a signal arrives. */
export async function runStdio(): Promise<void> {
  const app = await NestFactory.createMicroservice<AsyncMicroserviceOptions>(AppModule.forStdio(), {
    inject: [McpStrategy],
    useFactory: (strategy: McpStrategy) => ({ strategy }),
    // What goes wrong before the log level is known is thrown, and reported once by the caller.
    logger: false,
    abortOnError: false,
  });
  app.useLogger(app.get(PinoLogger));
  app.enableShutdownHooks();
  await app.listen();
  closeWithInput(app);
}

/** The end of stdin is how a client ends a stdio server. */
function closeWithInput(app: INestMicroservice): void {
  process.stdin.once('end', () => void app.close());
}
