import { NestFactory } from '@nestjs/core';
import { type AsyncMicroserviceOptions } from '@nestjs/microservices';
import { McpStrategy } from '@rekog/mcp-nest';
import { AppModule } from '../app.module.js';
import { StdioWire } from '../mcp/stdio/stdio-wire.js';
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
  const wire = app.get(StdioWire, { strict: false });
  const shutdown = new GracefulShutdown(app, () => wire.answered());
  shutdown.onSignals(() => false);
  await app.listen();
  // A client ends a stdio server by closing stdin. What it sent before is carried out.
  process.stdin.once('end', () => shutdown.start('end of stdin', { servingUntil: becomeCalls(wire) }));
}

/** Resolves when everything that was read has become a call or has its answer. */
async function becomeCalls(wire: StdioWire): Promise<void> {
  await wire.delivered();
  // The MCP SDK handles messages one after the other, in microtasks.
  await new Promise(setImmediate);
}
