import { Logger, type OnApplicationShutdown } from '@nestjs/common';
import { createNoopMeter, type Meter } from '@opentelemetry/api';
import { type TelemetrySettings } from '../config/telemetry.settings.js';
import { type Sdk } from './sdk.js';

/**
 * Traces and metrics of this process. Nothing of the SDK is loaded, and nothing is kept or counted, unless traces or
 * metrics are sent somewhere or served on the management port.
 */
export class OpenTelemetry implements OnApplicationShutdown {
  private readonly logger = new Logger('Telemetry');

  private constructor(
    private readonly lastMs: number,
    private readonly sdk?: Sdk,
  ) {}

  /**
   * @param servesMetrics whether there is a port on which metrics can be read
   * @param lastMs how long the end of the server may be held up by what is not sent yet, in milliseconds
   */
  static async start(settings: TelemetrySettings, servesMetrics: boolean, lastMs: number): Promise<OpenTelemetry> {
    const { disabled, tracesUrl, metricsUrl } = settings;
    if (disabled || (tracesUrl === undefined && metricsUrl === undefined && !servesMetrics))
      return new OpenTelemetry(lastMs);
    const { startSdk } = await import('./sdk.js');
    return new OpenTelemetry(lastMs, startSdk(settings, servesMetrics));
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

  /** Sends what waits to be sent, within `ms` milliseconds. What cannot be sent in time is lost, and said to be. */
  async flush(ms: number): Promise<void> {
    if (this.sdk) await this.inTime(ms, this.sdk.flush());
  }

  /** After the last call has ended. */
  async onApplicationShutdown(): Promise<void> {
    if (this.sdk) await this.inTime(this.lastMs, this.sdk.shutdown());
  }

  private async inTime(ms: number, sent: Promise<void>): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const timeUp = new Promise<never>((_, reject) => {
      timer = setTimeout(reject, ms, new Error(`not sent within ${ms} ms`));
    });
    try {
      await Promise.race([sent, timeUp]);
    } catch (error) {
      this.logger.warn(`the last traces or metrics were lost: ${(error as Error).message}`);
    } finally {
      clearTimeout(timer);
    }
  }
}
