import { type Context, context, type Span, type SpanOptions, SpanStatusCode, trace } from '@opentelemetry/api';

/** The instrumentation scope of every span that this server records. */
export const TRACER = 'managed-agent-control';

/**
 * Runs a step of a traced call as a span of its own. Where nothing is traced, as nothing is while no traces are set up,
 * only the work is run.
 */
export function inSpan<T>(name: string, work: (span?: Span) => Promise<T>): Promise<T> {
  if (!trace.getActiveSpan()) return work();
  return runInSpan(trace.getTracer(TRACER).startSpan(name), context.active(), work);
}

/** Starts a span at this place of a trace and runs the work in it. */
export function inSpanAt<T>(
  parent: Context,
  name: string,
  options: SpanOptions,
  work: (span: Span) => Promise<T>,
): Promise<T> {
  return runInSpan(trace.getTracer(TRACER).startSpan(name, options, parent), parent, work);
}

/** Errors say in a span that they happened, and not what: their texts can quote callers and agents. */
async function runInSpan<T>(span: Span, parent: Context, work: (span: Span) => Promise<T>): Promise<T> {
  try {
    return await context.with(trace.setSpan(parent, span), () => work(span));
  } catch (error) {
    span.setStatus({ code: SpanStatusCode.ERROR });
    throw error;
  } finally {
    span.end();
  }
}
