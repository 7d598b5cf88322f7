import { type NestFastifyApplication } from '@nestjs/platform-fastify';
import {
  type Context,
  context,
  defaultTextMapGetter,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import { TRACER } from '../../context/tracing.js';

/** Probes come every few seconds; their spans would be noise. */
const UNTRACED: ReadonlySet<string | undefined> = new Set(['/healthz', '/readyz', '/metrics']);

/** Records a span for every request, as a child of the one in its headers. Of the address only the route is recorded. */
export function traceRequests(app: NestFastifyApplication): void {
  const places = new WeakMap<object, Context>();
  const fastify = app.getHttpAdapter().getInstance();
  fastify.addHook('onRequest', (request, reply, done) => {
    const route = request.routeOptions.url;
    if (!UNTRACED.has(route)) {
      const parent = propagation.extract(ROOT_CONTEXT, request.headers, defaultTextMapGetter);
      const span = startSpan(request.method, route, parent);
      places.set(request, trace.setSpan(parent, span));
      // Emitted when the answer is sent and when the client disconnects.
      reply.raw.once('close', () => end(span, reply.raw));
    }
    done();
  });
  const inTrace = (request: object, done: () => void) => {
    const place = places.get(request);
    if (place) context.with(place, done);
    else done();
  };
  fastify.addHook('preParsing', (request, _reply, _payload, done) => inTrace(request, done));
  // Again after the body was read, whose events come from outside of any asynchronous context.
  fastify.addHook('preHandler', (request, _reply, done) => inTrace(request, done));
}

function startSpan(method: string, route: string | undefined, parent: Context): Span {
  const attributes = { 'http.request.method': method, ...(route !== undefined && { 'http.route': route }) };
  const name = route === undefined ? method : `${method} ${route}`;
  return trace.getTracer(TRACER).startSpan(name, { kind: SpanKind.SERVER, attributes }, parent);
}

function end(span: Span, response: { readonly statusCode: number; readonly writableFinished: boolean }): void {
  if (response.writableFinished) span.setAttribute('http.response.status_code', response.statusCode);
  if (response.writableFinished && response.statusCode >= 500) {
    span.setAttribute('error.type', String(response.statusCode));
    span.setStatus({ code: SpanStatusCode.ERROR });
  }
  span.end();
}
