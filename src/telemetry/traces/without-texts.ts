import { type ReadableSpan, type SpanExporter } from '@opentelemetry/sdk-trace';

/** The attributes that the Anthropic SDK records beside ids and names: our arguments, and texts that people wrote. */
const TEXTS: ReadonlySet<string> = new Set(['url.full', 'url.query', 'gen_ai.agent.name']);

/** Removes texts and arguments from the exported spans. */
export function withoutTexts(exporter: SpanExporter): SpanExporter {
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
