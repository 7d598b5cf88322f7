import { context, diag, DiagLogLevel, propagation, trace } from '@opentelemetry/api';
import { setGlobalErrorHandler, W3CTraceContextPropagator } from '@opentelemetry/core';
import { type Resource, resourceFromAttributes } from '@opentelemetry/resources';
import { type MeterProvider } from '@opentelemetry/sdk-metrics';
import { type TracerProvider } from '@opentelemetry/sdk-trace';
import { Logger } from '@nestjs/common';
import { type TelemetrySettings } from '../config/telemetry.settings.js';
import { SERVER_VERSION } from '../mcp/server-identity.js';
import { startMetrics } from './metrics/metric-sdk.js';
import { ScopeContextManager } from './traces/scope-context-manager.js';
import { createTracerProvider } from './traces/trace-sdk.js';

/** Everything that is loaded only when traces or metrics are wanted. */
export interface Sdk {
  readonly tracerProvider?: TracerProvider;
  readonly meterProvider?: MeterProvider;
  readonly prometheusText?: () => Promise<string>;
  shutdown(): Promise<void>;
}

export function startSdk(settings: TelemetrySettings, servesMetrics: boolean): Sdk {
  const logger = new Logger('OpenTelemetry');
  setGlobalErrorHandler((error) => logger.warn(messageOf(error)));
  diag.setLogger(diagnosticsTo(logger), { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
  const resource = resourceOf(settings);
  const tracerProvider = settings.tracesUrl === undefined ? undefined : createTracerProvider(settings, resource);
  if (tracerProvider) register(tracerProvider);
  const metrics = startMetrics(settings, resource, servesMetrics);
  return {
    tracerProvider,
    ...metrics,
    async shutdown() {
      if (tracerProvider) unregister();
      await Promise.all([tracerProvider?.shutdown(), metrics?.meterProvider.shutdown()]);
    },
  };
}

/** The Anthropic SDK, and our own rooms, ask the API of OpenTelemetry, which is one for the whole process. */
function register(tracerProvider: TracerProvider): void {
  trace.setGlobalTracerProvider(tracerProvider);
  context.setGlobalContextManager(new ScopeContextManager());
  // Without baggage: what callers put into theirs is not for the API.
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
}

function unregister(): void {
  trace.disable();
  context.disable();
  propagation.disable();
}

function resourceOf({ serviceName, resourceAttributes }: TelemetrySettings): Resource {
  return resourceFromAttributes({
    'service.version': SERVER_VERSION,
    ...resourceAttributes,
    'service.name': serviceName,
  });
}

/** What the SDK has to complain about, such as a receiver that does not answer. */
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
