import { PrometheusExporter, PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import { type Resource } from '@opentelemetry/resources';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { type TelemetrySettings } from '../../config/telemetry.settings.js';
import { metricExporter } from '../exporters.js';

export interface Metrics {
  readonly meterProvider: MeterProvider;
  readonly prometheusText?: () => Promise<string>;
}

/** One set of instruments for both ways out: sent to a receiver from time to time, and read by Prometheus. */
export function startMetrics(settings: TelemetrySettings, resource: Resource, served: boolean): Metrics | undefined {
  const { metricsUrl, exportIntervalMs } = settings;
  if (metricsUrl === undefined && !served) return undefined;
  const page = served ? new PrometheusExporter({ preventServerStart: true }) : undefined;
  const push =
    metricsUrl === undefined
      ? undefined
      : new PeriodicExportingMetricReader({
          exporter: metricExporter(settings, metricsUrl),
          exportIntervalMillis: exportIntervalMs,
        });
  const readers = [page, push].filter((reader) => reader !== undefined);
  return { meterProvider: new MeterProvider({ resource, readers }), prometheusText: page && (() => textOf(page)) };
}

/** Without the scope as a label of every series: there is one. */
const SERIALIZER = new PrometheusSerializer(undefined, false, undefined, false, true);

async function textOf(page: PrometheusExporter): Promise<string> {
  const { resourceMetrics, errors } = await page.collect();
  if (errors.length > 0) throw new AggregateError(errors, 'metrics could not be collected');
  return SERIALIZER.serialize(resourceMetrics);
}
