import { type ReadableSpan, type SpanExporter } from '@opentelemetry/sdk-trace';

/** What the SDK of Anthropic notes about a request beyond ids and names: arguments of ours, and what people wrote. */
const TEXTS: ReadonlySet<string> = new Set(['url.full', 'url.query', 'gen_ai.agent.name']);

/** Leaves texts and arguments out of what is exported. */
export function withoutTexts(exporter: SpanExporter): SpanExporter {
  return {
    export: (spans, done) => exporter.export(spans.map(cleaned), done),
    shutdown: () => exporter.shutdown(),
    forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve(),
  };
}

function cleaned(span: ReadableSpan): ReadableSpan {
  const attributes = Object.fromEntries(Object.entries(span.attributes).filter(([name]) => !TEXTS.has(name)));
  // A span is an object of many getters; what is not replaced is read from it.
  return Object.create(span, {
    attributes: { value: attributes, enumerable: true },
    // Errors record their messages here.
    events: { value: [], enumerable: true },
    status: { value: { code: span.status.code }, enumerable: true },
  }) as ReadableSpan;
}
