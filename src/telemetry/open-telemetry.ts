import { Logger, type OnApplicationShutdown } from '@nestjs/common';
import { createNoopMeter, type Meter } from '@opentelemetry/api';
import { type TelemetrySettings } from '../config/telemetry.settings.js';
import { type Sdk } from './sdk.js';

/** How long the end of the server may be held up by what is not sent yet, in milliseconds. */
const FLUSH_MS = 3000;

/**
 * Traces and metrics of this process. Nothing of the SDK is loaded, and nothing is kept or counted, unless traces or
 * metrics are sent somewhere or served on the management port.
 */
export class OpenTelemetry implements OnApplicationShutdown {
  private readonly logger = new Logger('Telemetry');

  private constructor(private readonly sdk?: Sdk) {}

  /** @param servesMetrics whether there is a port on which metrics can be read */
  static async start(settings: TelemetrySettings, servesMetrics: boolean): Promise<OpenTelemetry> {
    const { disabled, tracesUrl, metricsUrl } = settings;
    if (disabled || (tracesUrl === undefined && metricsUrl === undefined && !servesMetrics)) return new OpenTelemetry();
    const { startSdk } = await import('./sdk.js');
    return new OpenTelemetry(startSdk(settings, servesMetrics));
  }

  get tracing(): boolean {
    return this.sdk?.tracerProvider !== undefined;
  }

  /** Whether anybody can see metrics; otherwise the meter does nothing. */
  get measuring(): boolean {
    return this.sdk?.meterProvider !== undefined;
  }

  get meter(): Meter {
    return this.sdk?.meterProvider?.getMeter('managed-agent-control') ?? createNoopMeter();
  }

  /** All metrics as they are now, in the text format of Prometheus; undefined where they are not served. */
  async prometheusText(): Promise<string | undefined> {
    return this.sdk?.prometheusText?.();
  }

  /** After the last call has ended. What cannot be sent in time is lost, and said to be. */
  async onApplicationShutdown(): Promise<void> {
    if (!this.sdk) return;
    let timer: NodeJS.Timeout | undefined;
    const timeUp = new Promise<never>((_, reject) => {
      timer = setTimeout(reject, FLUSH_MS, new Error(`not sent within ${FLUSH_MS} ms`));
    });
    try {
      await Promise.race([this.sdk.shutdown(), timeUp]);
    } catch (error) {
      this.logger.warn(`the last traces or metrics were lost: ${(error as Error).message}`);
    } finally {
      clearTimeout(timer);
    }
  }
}
