import { createServer, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { spansOf } from './protobuf-spans.js';
import { type ReceivedSpan } from './received-span.js';

export interface ReceivedMetric {
  readonly name: string;
  readonly points: readonly { readonly attributes: Readonly<Record<string, unknown>>; readonly value: number }[];
}

interface Post {
  readonly path: string;
  readonly type: string;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: Buffer;
}

/** Takes what a server exports over OTLP/HTTP. */
export class OtlpReceiver {
  readonly posts: Post[] = [];

  private constructor(private readonly server: Server) {
    server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const type = request.headers['content-type'] ?? '';
        this.posts.push({ path: request.url ?? '', type, headers: request.headers, body: Buffer.concat(chunks) });
        response.writeHead(200, { 'content-type': type }).end(type.includes('json') ? '{}' : '');
      });
    });
  }

  static async start(): Promise<OtlpReceiver> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new OtlpReceiver(server);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  get spans(): ReceivedSpan[] {
    return this.bodies('/v1/traces').flatMap(({ type, body }) =>
      type.includes('json') ? jsonSpans(JSON.parse(body.toString()) as Traces) : spansOf(body),
    );
  }

  /** As of the last export; JSON only. */
  get metrics(): ReceivedMetric[] {
    const last = this.bodies('/v1/metrics').at(-1);
    return last ? jsonMetrics(JSON.parse(last.body.toString()) as Metrics) : [];
  }

  /** Everything that was received, as text, to look for what must not be there. */
  get text(): string {
    return this.posts.map(({ body }) => body.toString('latin1')).join('\n');
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  private bodies(path: string): Post[] {
    return this.posts.filter((post) => post.path === path);
  }
}

/** The parts of OTLP's JSON that are read here. */
interface Attribute {
  readonly key: string;
  readonly value: object;
}
interface Traces {
  readonly resourceSpans: readonly { readonly scopeSpans: readonly { readonly spans: readonly Span[] }[] }[];
}
interface Span extends Omit<ReceivedSpan, 'attributes' | 'links'> {
  readonly attributes?: readonly Attribute[];
  readonly links?: readonly { readonly spanId: string }[];
}
interface Metrics {
  readonly resourceMetrics: readonly { readonly scopeMetrics: readonly { readonly metrics: readonly Metric[] }[] }[];
}
interface Points {
  readonly dataPoints: readonly {
    readonly attributes?: readonly Attribute[];
    readonly asDouble?: number;
    readonly asInt?: number | string;
    readonly count?: number | string;
  }[];
}
interface Metric extends Partial<Record<'sum' | 'gauge' | 'histogram', Points>> {
  readonly name: string;
}

function jsonSpans({ resourceSpans }: Traces): ReceivedSpan[] {
  const spans = resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans));
  return spans.map(({ traceId, spanId, parentSpanId, name, attributes, links = [] }) => ({
    traceId,
    spanId,
    parentSpanId: parentSpanId === '' ? undefined : parentSpanId,
    name,
    attributes: record(attributes),
    links: links.map((link) => link.spanId),
  }));
}

function jsonMetrics({ resourceMetrics }: Metrics): ReceivedMetric[] {
  const metrics = resourceMetrics.flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics));
  return metrics.map(({ name, sum, gauge, histogram }) => ({
    name,
    points: ((sum ?? gauge ?? histogram)?.dataPoints ?? []).map((point) => ({
      attributes: record(point.attributes),
      value: Number(point.asDouble ?? point.asInt ?? point.count),
    })),
  }));
}

function record(attributes: readonly Attribute[] = []): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0] as unknown]));
}
