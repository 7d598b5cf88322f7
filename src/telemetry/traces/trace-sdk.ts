import { type Resource } from '@opentelemetry/resources';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  type Sampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { type TelemetrySettings } from '../../config/telemetry.settings.js';
import { traceExporter } from '../exporters.js';
import { withoutTexts } from './without-texts.js';

/** A span's attributes are few and short; what is longer does not belong there. */
const MAX_ATTRIBUTE_CHARS = 256;

export function createTracerProvider(settings: TelemetrySettings, resource: Resource): TracerProvider {
  const url = settings.tracesUrl;
  if (url === undefined) throw new Error('there is no address for traces');
  return new TracerProvider({
    resource,
    sampler: samplerOf(settings),
    spanLimits: { attributeValueLengthLimit: MAX_ATTRIBUTE_CHARS },
    spanProcessors: [new BatchSpanProcessor({ exporter: withoutTexts(traceExporter(settings, url)) })],
  });
}

function samplerOf({ sampler, samplerArg }: TelemetrySettings): Sampler {
  const root = rootSampler(sampler.replace('parentbased_', ''), Number(samplerArg ?? 1));
  return sampler.startsWith('parentbased_') ? new ParentBasedSampler({ root }) : root;
}

function rootSampler(name: string, ratio: number): Sampler {
  if (name === 'always_on') return new AlwaysOnSampler();
  return name === 'always_off' ? new AlwaysOffSampler() : new TraceIdRatioBasedSampler(ratio);
}
