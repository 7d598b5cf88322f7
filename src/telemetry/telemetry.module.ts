import { Module } from '@nestjs/common';
import { Secrets } from '../config/secrets.js';
import { TelemetrySettings } from '../config/telemetry.settings.js';
import { PinoLogger } from './logs/pino.logger.js';
import { stderrLogger } from './logs/stderr.js';

/** How the server is seen from outside: logs, traces and metrics. */
@Module({
  providers: [{ provide: PinoLogger, inject: [TelemetrySettings, Secrets], useFactory: stderrLogger }],
  exports: [PinoLogger],
})
export class TelemetryModule {}
