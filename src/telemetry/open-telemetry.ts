import { Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { createNoopMeter, type Meter } from '@opentelemetry/api';
import { within } from '../common/time-out.js';
import { type TelemetrySettings } from '../config/telemetry.settings.js';
import { type Sdk } from './sdk.js';

/**
 * Traces and metrics of this process. The SDK is loaded, and anything is recorded, only when traces or metrics are sent
 * to a receiver or served on the management port.
 */
export class OpenTelemetry implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger('Telemetry');

  private constructor(
    private readonly lastMs: number,
    private readonly sdk?: Sdk,
    private readonly unusable?: string,
  ) {}

  /**
   * @param servesMetrics whether metrics can be read on the management port
   * @param lastMs how long the shutdown may wait until the last traces and metrics are sent, in milliseconds
   */
  static async start(settings: TelemetrySettings, servesMetrics: boolean, lastMs: number): Promise<OpenTelemetry> {
    const { disabled, tracesUrl, metricsUrl } = settings;
    if (disabled || (tracesUrl === undefined && metricsUrl === undefined && !servesMetrics))
      return new OpenTelemetry(lastMs, undefined, settings.unusable);
    const { startSdk } = await import('./sdk.js');
    return new OpenTelemetry(lastMs, startSdk(settings, servesMetrics));
  }

  onApplicationBootstrap(): void {
    if (this.unusable !== undefined) this.logger.warn(`traces and metrics are off: ${this.unusable}`);
  }

  get tracing(): boolean {
    return this.sdk?.tracerProvider !== undefined;
  }

  /** Whether metrics are sent or served; otherwise the meter does nothing. */
  get measuring(): boolean {
    return this.sdk?.meterProvider !== undefined;
  }

  get meter(): Meter {
    return this.sdk?.meterProvider?.getMeter('managed-agent-control') ?? createNoopMeter();
  }

  /** The current metrics in the text format of Prometheus; undefined if they are not served. */
  async prometheusText(): Promise<string | undefined> {
    return this.sdk?.prometheusText?.();
  }

  /** Sends what is waiting, within `ms` milliseconds. What cannot be sent in time is lost, which is logged. */
  async flush(ms: number): Promise<void> {
    if (this.sdk) await this.inTime(ms, this.sdk.flush());
  }

  /** Runs after the last call has ended. */
  async onApplicationShutdown(): Promise<void> {
    if (this.sdk) await this.inTime(this.lastMs, this.sdk.shutdown());
  }

  private async inTime(ms: number, sent: Promise<void>): Promise<void> {
    const failure = (error: Error) => error.message;
    const lost = await within(
      ms,
      sent.then(() => undefined, failure),
      `not sent within ${ms} ms`,
    );
    if (lost !== undefined) this.logger.warn(`the last traces or metrics were lost: ${lost}`);
  }
}
