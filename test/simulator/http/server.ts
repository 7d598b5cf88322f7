import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { SimulatorClock } from '../clock.js';
import type { Failure, Faults } from '../faults.js';
import type { Ids } from '../ids.js';
import type { Pollution, Serialization } from '../options.js';
import { startCursor } from '../pagination.js';
import type { World } from '../world.js';
import { ApiError, invalid, usualError } from './errors.js';
import { type Gate, passGate } from './gate.js';
import { Query } from './query.js';
import { RateLimits } from './rate-limits.js';
import type { RecordedRequest } from './recorder.js';
import { type Match, MethodNotAllowed, type Reply, type Route, Router } from './router.js';
import { serialize } from './serialize.js';

const BODY_LIMIT = 32 * 1024 * 1024;

export interface ServerParts {
  clock: SimulatorClock;
  ids: Ids;
  faults: Faults;
  world: World;
  gate: Gate;
  routes: readonly Route[];
  serialization: Serialization;
  pollution: Pollution;
  recordedRequests: number;
}

/** HTTP around the world: checks in the server's order, faults where they were armed, answers as they travel. */
export class HttpServer {
  readonly requests: RecordedRequest[] = [];
  private readonly server: Server;
  private readonly router: Router;
  private readonly limits: RateLimits;
  private readonly delays = new Set<() => void>();

  constructor(private readonly parts: ServerParts) {
    this.router = new Router(parts.routes);
    this.limits = new RateLimits(parts.clock);
    // An idle connection that is closed here just as a client uses it again would look like a failure of the API.
    this.server = createServer({ keepAliveTimeout: 0 }, (incoming, response) => this.receive(incoming, response));
  }

  async listen(port: number, host: string): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(port, host, resolve);
    });
    return (this.server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    for (const cancel of this.delays) cancel();
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeAllConnections();
    await closed;
  }

  private receive(incoming: IncomingMessage, response: ServerResponse): void {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => this.arrived(incoming, Buffer.concat(chunks), response));
  }

  private arrived(incoming: IncomingMessage, body: Buffer, response: ServerResponse): void {
    const url = new URL(incoming.url ?? '/', 'http://simulator');
    const request: RecordedRequest = {
      method: incoming.method ?? 'GET',
      path: url.pathname,
      query: url.searchParams,
      headers: incoming.headers,
      body: tryParse(body),
    };
    this.remember(request);
    const failure = this.parts.faults.take(request.method, request.path) ?? {};
    this.afterDelay(failure.delayMs ?? 0, () => {
      if (!response.destroyed) this.answer(request, body, { response, failure });
    });
  }

  private answer(
    request: RecordedRequest,
    body: Buffer,
    { response, failure }: { response: ServerResponse; failure: Failure },
  ): void {
    const requestId = this.parts.ids.next('req');
    const send = new Answer(response, requestId, this.parts);
    if (failure.reset === 'before') return void response.destroy();
    if (failure.hangs) return;
    if (failure.redirect !== undefined || failure.page !== undefined)
      return answeredOnTheWay(response, request, failure);
    try {
      failure.race?.(this.parts.world, request);
      if (failure.status !== undefined) throw failureError(failure, failure.status);
      if (failure.answer !== undefined) return send.send(200, JSON.stringify(failure.answer));
      const match = this.router.match(request.method, request.path);
      const reply = this.process(match, request, body);
      if (failure.reset === 'after') return void response.destroy();
      send.headers(this.limits.headers(match.route.bucket));
      send.reply(reply, failure, match);
    } catch (error) {
      send.error(error instanceof ApiError ? error : simulatorBug(error), failure);
    }
  }

  private process({ route, params }: Match, request: RecordedRequest, body: Buffer): Reply {
    passGate(this.parts.gate, route.family, request.headers);
    if (body.length > BODY_LIMIT) throw usualError(413);
    if (body.length > 0 && request.body === undefined) throw invalid('The request body is not valid JSON');
    const query = new Query(request.query);
    query.allowOnly(route.query ?? []);
    const result = route.handle({ params, query, body: request.body });
    return 'stream' in result || 'body' in result ? result : { body: result };
  }

  private afterDelay(ms: number, task: () => void): void {
    if (ms <= 0) return task();
    const cancel = this.parts.clock.schedule(ms, () => {
      this.delays.delete(cancel);
      task();
    });
    this.delays.add(cancel);
  }

  private remember(request: RecordedRequest): void {
    this.requests.push(request);
    if (this.requests.length > this.parts.recordedRequests) this.requests.shift();
  }
}

/** One response on its way out. */
class Answer {
  constructor(
    private readonly response: ServerResponse,
    private readonly requestId: string,
    private readonly parts: ServerParts,
  ) {
    response.setHeader('request-id', requestId);
    response.setHeader('anthropic-organization-id', '01234567-89ab-cdef-0123-456789abcdef');
    response.setHeader('anthropic-workspace-id', 'wrkspc_01Simu1ator1111111111111');
  }

  headers(headers: Record<string, string>): void {
    for (const [name, value] of Object.entries(headers)) this.response.setHeader(name, value);
  }

  reply(reply: Reply, failure: Failure, { route, params }: Match): void {
    if ('stream' in reply) return reply.stream(this.response, failure);
    const text = serialize(disturb(reply.body, { ...failure, ...this.standing(route) }, { route, params }), this.parts);
    this.send(200, failure.invalidJson ? half(text) : text, failure);
  }

  error(error: ApiError, failure: Failure = {}): void {
    if (error instanceof MethodNotAllowed) this.response.removeHeader('request-id');
    this.headers(failure.headers ?? {});
    if (failure.retryAfter !== undefined) this.response.setHeader('retry-after', String(failure.retryAfter));
    this.send(error.status, JSON.stringify(error.body(this.requestId)), failure);
  }

  /** Pollution that shows in lists of events. */
  private standing({ path }: Route): Failure {
    return this.parts.pollution.duplicates && path.endsWith('/events') ? { duplicates: true } : {};
  }

  send(status: number, text: string, { stalls }: Failure = {}): void {
    this.response.writeHead(status, { 'content-type': 'application/json' });
    if (stalls) this.response.write(half(text));
    else this.response.end(text);
  }
}

/** Something between the client and the API answers in its place, without the headers of the API. */
function answeredOnTheWay(response: ServerResponse, request: RecordedRequest, failure: Failure): void {
  for (const name of response.getHeaderNames()) response.removeHeader(name);
  if (failure.redirect !== undefined) {
    const query = request.query.size > 0 ? `?${request.query.toString()}` : '';
    const location = `${failure.redirect}${request.path}${query}`;
    response.writeHead(failure.status ?? 307, { location, ...failure.headers }).end();
  } else {
    response.writeHead(failure.status ?? 200, { 'content-type': 'text/html', ...failure.headers }).end(failure.page);
  }
}

function half(text: string): string {
  return text.slice(0, text.length / 2);
}

/** Not something the API would answer: it says what is wrong with the simulator or with a test's scenario. */
function simulatorBug(error: unknown): ApiError {
  return new ApiError(500, 'api_error', `simulator: ${error instanceof Error ? error.stack : String(error)}`);
}

function failureError({ error }: Failure, status: number): ApiError {
  const usual = usualError(status);
  return new ApiError(status, error?.type ?? usual.type, error?.message ?? usual.message, error?.details);
}

function disturb(body: unknown, failure: Failure, { route, params }: Match): unknown {
  const page = body as { data?: unknown[]; next_page?: string | null };
  if (route.method !== 'GET' || !Array.isArray(page.data)) return body;
  if (failure.duplicates) return { ...page, data: page.data.flatMap((item) => [item, item]) };
  if (!failure.emptyPage) return body;
  const scope = route.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => params[name] ?? '');
  return {
    ...page,
    data: [],
    next_page: startCursor(scope, /\/(events|threads|resources)$/.test(route.path) ? 'asc' : 'desc'),
  };
}

function tryParse(body: Buffer): unknown {
  if (body.length === 0) return undefined;
  try {
    return JSON.parse(body.toString());
  } catch {
    // The request is answered with a 400 after the gate, where the API would.
    return undefined;
  }
}
