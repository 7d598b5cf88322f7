import { Injectable } from '@nestjs/common';
import { OpenTelemetry } from '../open-telemetry.js';

/** All metrics as Prometheus reads them. */
@Injectable()
export class MetricsPage {
  constructor(private readonly telemetry: OpenTelemetry) {}

  /** Undefined where OTEL_SDK_DISABLED has switched metrics off. */
  text(): Promise<string | undefined> {
    return this.telemetry.prometheusText();
  }
}
