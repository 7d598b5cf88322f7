import { OTLPMetricExporter as JsonMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPMetricExporter as ProtobufMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { OTLPTraceExporter as JsonTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as ProtobufTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { type PushMetricExporter } from '@opentelemetry/sdk-metrics';
import { type SpanExporter } from '@opentelemetry/sdk-trace';
import { type TelemetrySettings } from '../config/telemetry.settings.js';

/** How long one export may take, its repetitions included, in milliseconds. The end of the process waits for no more. */
const TIMEOUT_MS = 5000;

export function traceExporter({ protocol, headers }: TelemetrySettings, url: string): SpanExporter {
  const Exporter = protocol === 'http/json' ? JsonTraceExporter : ProtobufTraceExporter;
  return new Exporter({ url, headers, timeoutMillis: TIMEOUT_MS });
}

export function metricExporter({ protocol, headers }: TelemetrySettings, url: string): PushMetricExporter {
  const Exporter = protocol === 'http/json' ? JsonMetricExporter : ProtobufMetricExporter;
  return new Exporter({ url, headers, timeoutMillis: TIMEOUT_MS });
}
