import { context, diag, DiagLogLevel, propagation, trace } from '@opentelemetry/api';
import { setGlobalErrorHandler, W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPMetricExporter as JsonMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPMetricExporter as ProtobufMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { PrometheusExporter, PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import { OTLPTraceExporter as JsonTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as ProtobufTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { type Resource, resourceFromAttributes } from '@opentelemetry/resources';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  type ReadableSpan,
  type Sampler,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { Logger } from '@nestjs/common';
import { type TelemetrySettings } from '../config/telemetry.settings.js';
import { outboundAgent } from '../egress/proxy.js';
import { SERVER_VERSION } from '../mcp/server-identity.js';
import { ScopeContextManager } from './traces/scope-context-manager.js';

/** How long one export may take, its retries included, in milliseconds. The shutdown waits no longer. */
const EXPORT_TIMEOUT_MS = 5000;
/** Longest value of a span attribute. Attributes are few and short; longer values are cut. */
const MAX_ATTRIBUTE_CHARS = 256;

/** Everything that is loaded only when traces or metrics are switched on. */
export interface Sdk extends Partial<Metrics> {
  readonly tracerProvider?: TracerProvider;
  /** Sends what is waiting to be sent. */
  flush(): Promise<void>;
  shutdown(): Promise<void>;
}

interface Metrics {
  readonly meterProvider: MeterProvider;
  readonly prometheusText?: () => Promise<string>;
}

export function startSdk(settings: TelemetrySettings, servesMetrics: boolean): Sdk {
  const logger = new Logger('OpenTelemetry');
  setGlobalErrorHandler((error) => logger.warn(messageOf(error)));
  diag.setLogger(diagnosticsTo(logger), { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
  const resource = resourceOf(settings);
  const tracerProvider = startTraces(settings, resource);
  const metrics = startMetrics(settings, resource, servesMetrics);
  return {
    tracerProvider,
    ...metrics,
    async flush() {
      await Promise.all([tracerProvider?.forceFlush(), metrics?.meterProvider.forceFlush()]);
    },
    async shutdown() {
      if (tracerProvider) unregister();
      await Promise.all([tracerProvider?.shutdown(), metrics?.meterProvider.shutdown()]);
    },
  };
}

function startTraces(settings: TelemetrySettings, resource: Resource): TracerProvider | undefined {
  const { tracesUrl: url, protocol, headers } = settings;
  if (url === undefined) return undefined;
  const Exporter = protocol === 'http/json' ? JsonTraceExporter : ProtobufTraceExporter;
  const exporter = new Exporter(exportTo(url, headers));
  const tracerProvider = new TracerProvider({
    resource,
    sampler: samplerOf(settings),
    spanLimits: { attributeValueLengthLimit: MAX_ATTRIBUTE_CHARS },
    spanProcessors: [new BatchSpanProcessor({ exporter: withoutTexts(exporter) })],
  });
  register(tracerProvider);
  return tracerProvider;
}

function exportTo(url: string, headers: TelemetrySettings['headers']) {
  return { url, headers, timeoutMillis: EXPORT_TIMEOUT_MS, httpAgentOptions: outboundAgent(url) };
}

/** The Anthropic SDK and our own modules use the API of OpenTelemetry, which is global to the process. */
function register(tracerProvider: TracerProvider): void {
  trace.setGlobalTracerProvider(tracerProvider);
  context.setGlobalContextManager(new ScopeContextManager());
  // Without baggage: the baggage of callers is not sent to the Anthropic API.
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
}

function unregister(): void {
  trace.disable();
  context.disable();
  propagation.disable();
}

function samplerOf({ sampler, samplerArg }: TelemetrySettings): Sampler {
  const root = rootSampler(sampler.replace('parentbased_', ''), Number(samplerArg ?? 1));
  return sampler.startsWith('parentbased_') ? new ParentBasedSampler({ root }) : root;
}

function rootSampler(name: string, ratio: number): Sampler {
  if (name === 'always_on') return new AlwaysOnSampler();
  return name === 'always_off' ? new AlwaysOffSampler() : new TraceIdRatioBasedSampler(ratio);
}

/** One set of instruments for both outputs: pushed to a receiver at intervals, and read by Prometheus. */
function startMetrics(settings: TelemetrySettings, resource: Resource, served: boolean): Metrics | undefined {
  const { metricsUrl: url, protocol, headers, exportIntervalMs } = settings;
  if (url === undefined && !served) return undefined;
  const Exporter = protocol === 'http/json' ? JsonMetricExporter : ProtobufMetricExporter;
  const page = served ? new PrometheusExporter({ preventServerStart: true }) : undefined;
  const push =
    url === undefined
      ? undefined
      : new PeriodicExportingMetricReader({
          exporter: new Exporter(exportTo(url, headers)),
          exportIntervalMillis: exportIntervalMs,
        });
  const readers = [page, push].filter((reader) => reader !== undefined);
  return { meterProvider: new MeterProvider({ resource, readers }), prometheusText: page && (() => textOf(page)) };
}

/** The scope is not a label of every series, because there is only one. */
const SERIALIZER = new PrometheusSerializer(undefined, false, undefined, false, true);

async function textOf(page: PrometheusExporter): Promise<string> {
  const { resourceMetrics, errors } = await page.collect();
  if (errors.length > 0) throw new AggregateError(errors, 'metrics could not be collected');
  return SERIALIZER.serialize(resourceMetrics);
}

function resourceOf({ serviceName, resourceAttributes }: TelemetrySettings): Resource {
  return resourceFromAttributes({
    'service.version': SERVER_VERSION,
    ...resourceAttributes,
    'service.name': serviceName,
  });
}

/** Logs the SDK's own errors and warnings, such as a receiver that does not answer. */
function diagnosticsTo(logger: Logger) {
  return {
    error: (message: string) => logger.error(message),
    warn: (message: string) => logger.warn(message),
    info: (message: string) => logger.log(message),
    debug: (message: string) => logger.debug(message),
    verbose: (message: string) => logger.verbose(message),
  };
}

/** Without the stack, which is that of the SDK's timer. */
function messageOf(error: unknown): string {
  return typeof error === 'string' ? error : ((error as { message?: string } | undefined)?.message ?? String(error));
}

/** The attributes that the Anthropic SDK records beside ids and names: our arguments, and texts that people wrote. */
const TEXTS: ReadonlySet<string> = new Set(['url.full', 'url.query', 'gen_ai.agent.name']);

/** Removes texts and arguments from the exported spans. */
function withoutTexts(exporter: SpanExporter): SpanExporter {
  return {
    export: (spans, done) => exporter.export(spans.map(cleaned), done),
    shutdown: () => exporter.shutdown(),
    forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve(),
  };
}

function cleaned(span: ReadableSpan): ReadableSpan {
  const attributes = Object.fromEntries(Object.entries(span.attributes).filter(([name]) => !TEXTS.has(name)));
  // A span has many getters; those that are not replaced are read from the original.
  return Object.create(span, {
    attributes: { value: attributes, enumerable: true },
    // Recorded errors have their messages here.
    events: { value: [], enumerable: true },
    status: { value: { code: span.status.code }, enumerable: true },
  }) as ReadableSpan;
}
