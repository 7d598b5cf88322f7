import { type UpstreamAttempt, UpstreamObserver } from '../../managed-agents/upstream-observer.js';
import { type OpenTelemetry } from '../open-telemetry.js';
import { Instruments } from './instruments.js';

/** Counts requests to the API. */
export class UpstreamMetrics extends UpstreamObserver {
  private readonly requests: ReturnType<Instruments['counter']>;
  private readonly duration: ReturnType<Instruments['histogram']>;

  constructor(telemetry: OpenTelemetry) {
    super();
    const instruments = new Instruments(telemetry.meter);
    this.requests = instruments.counter('upstreamRequests');
    this.duration = instruments.histogram('upstreamDuration');
  }

  attempted({ operation, status, retry, durationMs }: UpstreamAttempt): void {
    this.requests(1, { operation, status, retry: String(retry) });
    this.duration(durationMs / 1000, { operation });
  }
}
