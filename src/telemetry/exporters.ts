import { OTLPMetricExporter as JsonMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPMetricExporter as ProtobufMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { OTLPTraceExporter as JsonTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as ProtobufTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { type PushMetricExporter } from '@opentelemetry/sdk-metrics';
import { type SpanExporter } from '@opentelemetry/sdk-trace';
import { type TelemetrySettings } from '../config/telemetry.settings.js';

export function traceExporter({ protocol, headers }: TelemetrySettings, url: string): SpanExporter {
  const Exporter = protocol === 'http/json' ? JsonTraceExporter : ProtobufTraceExporter;
  return new Exporter({ url, headers });
}

export function metricExporter({ protocol, headers }: TelemetrySettings, url: string): PushMetricExporter {
  const Exporter = protocol === 'http/json' ? JsonMetricExporter : ProtobufMetricExporter;
  return new Exporter({ url, headers });
}
