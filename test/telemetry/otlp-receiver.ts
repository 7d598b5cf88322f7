import { createServer, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { spansOf } from './protobuf-spans.js';

export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly links: readonly string[];
}

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
      type.includes('json') ? jsonSpans(JSON.parse(body.toString())) : spansOf(body),
    );
  }

  /** As of the last export; JSON only. */
  get metrics(): ReceivedMetric[] {
    const last = this.bodies('/v1/metrics').at(-1);
    return last ? jsonMetrics(JSON.parse(last.body.toString())) : [];
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

function jsonSpans(document: any): ReceivedSpan[] {
  const spans: any[] = document.resourceSpans.flatMap((resource: any) =>
    resource.scopeSpans.flatMap((scope: any) => scope.spans),
  );
  return spans.map(({ traceId, spanId, parentSpanId, name, attributes, links = [] }) => ({
    traceId,
    spanId,
    parentSpanId: parentSpanId || undefined,
    name,
    attributes: record(attributes),
    links: links.map((link: any) => link.spanId),
  }));
}

function jsonMetrics(document: any): ReceivedMetric[] {
  const metrics: any[] = document.resourceMetrics.flatMap((resource: any) =>
    resource.scopeMetrics.flatMap((scope: any) => scope.metrics),
  );
  return metrics.map(({ name, sum, gauge, histogram }) => ({
    name,
    points: (sum ?? gauge ?? histogram).dataPoints.map((point: any) => ({
      attributes: record(point.attributes),
      value: Number(point.asDouble ?? point.asInt ?? point.count),
    })),
  }));
}

function record(attributes: any[] = []): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value as object)[0]]));
}
