import { Agent, createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { eventually } from './eventually.js';
import { REFUSED_URL } from './ports.js';

/** As often as a busy load balancer would look, and as long as it would wait for the answer, in milliseconds. */
const PROBE_EVERY_MS = 100;
const PROBE_TIMEOUT_MS = 2000;
/** A replica that starts is healthy within this time, on a busy machine as well, in milliseconds. */
const HEALTHY_WITHIN_MS = 120_000;
/** Of one connection to the next; meaningless behind it. */
const HOP_BY_HOP = ['connection', 'keep-alive', 'transfer-encoding'];

/** A replica, wherever it is served at the moment. */
interface Backend {
  url: string;
  healthy: boolean;
}

interface Arrived {
  readonly incoming: IncomingMessage;
  readonly body: Buffer;
  readonly outgoing: ServerResponse;
}

/**
 * What stands before replicas: takes turns among those whose `/readyz` says 200, and keeps connections to them. It sends
 * a request again only where that is certainly harmless: the connection was refused, or the answer is 503 (Envoy's
 * `connect-failure,retriable-status-codes`, HAProxy's `conn-failure 503`). Everything else that goes wrong is the
 * client's: 502.
 */
export class LoadBalancer {
  /** Requests that were sent again, by what came of them before. */
  readonly retries = { refused: 0, unavailable: 0 };
  /** Requests that a replica took and did not answer. */
  readonly broken: string[] = [];
  private readonly agent = new Agent({ keepAlive: true });
  private turn = 0;

  private constructor(
    private readonly server: Server,
    private readonly backends: readonly Backend[],
  ) {}

  static async before(urls: readonly string[]): Promise<LoadBalancer> {
    // Idle connections are the clients' to close: closed here, one could break just as a client uses it again.
    const server = createServer({ keepAliveTimeout: 0 });
    const balancer = new LoadBalancer(
      server,
      urls.map((url) => ({ url, healthy: false })),
    );
    server.on('request', (incoming, outgoing) => {
      // A client that goes away in the middle of its request wants no answer.
      balancer.take(incoming, outgoing).catch(() => outgoing.destroy());
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    for (const backend of balancer.backends) void balancer.probeForEver(backend);
    return balancer;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Resolves when the probes of this replica succeed. */
  async whenHealthy(index: number): Promise<void> {
    const states = () => this.backends.map((backend) => ({ ...backend }));
    await eventually(`replica ${index} is healthy`, states, (all) => all[index]?.healthy === true, {
      deadlineMs: HEALTHY_WITHIN_MS,
    });
  }

  /** The replica is served elsewhere from now on; at no address, connections to it are refused. */
  move(index: number, url = REFUSED_URL): void {
    const backend = this.backends[index]!;
    backend.url = url;
    backend.healthy = false;
  }

  async close(): Promise<void> {
    this.agent.destroy();
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeAllConnections();
    await closed;
  }

  private async take(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const arrived = { incoming, body: Buffer.concat(chunks), outgoing };
    for (const backend of this.inTurn()) if (await this.passed(arrived, backend)) return;
    this.broken.push(`nobody took it: ${arrived.body.toString('utf8', 0, 200)}`);
    outgoing.writeHead(503).end();
  }

  /** Those that are healthy, each once; all of them when none is. */
  private inTurn(): Backend[] {
    const healthy = this.backends.filter((backend) => backend.healthy);
    const usable = healthy.length > 0 ? healthy : this.backends;
    const first = this.turn++ % usable.length;
    return [...usable.slice(first), ...usable.slice(0, first), ...this.backends.filter((one) => !usable.includes(one))];
  }

  /** False when it may be sent to another one. */
  private passed({ incoming, body, outgoing }: Arrived, backend: Backend): Promise<boolean> {
    const headers = { ...incoming.headers, 'content-length': String(body.length) };
    for (const name of HOP_BY_HOP) delete (headers as IncomingMessage['headers'])[name];
    return new Promise((resolve) => {
      const onward = request(`${backend.url}${incoming.url}`, { method: incoming.method, headers, agent: this.agent });
      onward.once('error', (error: NodeJS.ErrnoException) => {
        if (error.code === 'ECONNREFUSED') {
          this.retries.refused += 1;
          return resolve(false);
        }
        const connection = `${backend.healthy ? 'healthy' : 'unhealthy'} replica, ${onward.reusedSocket ? 'kept' : 'new'}`;
        if (!outgoing.destroyed)
          this.broken.push(`${error.code} (${connection} connection): ${body.toString('utf8', 0, 200)}`);
        if (outgoing.headersSent) outgoing.destroy();
        else outgoing.writeHead(502).end();
        resolve(true);
      });
      onward.once('response', (answer) => {
        if (answer.statusCode === 503) {
          this.retries.unavailable += 1;
          answer.resume().once('close', () => resolve(false));
          return;
        }
        const kept = Object.entries(answer.headers).filter(([name]) => !HOP_BY_HOP.includes(name));
        outgoing.writeHead(answer.statusCode ?? 502, Object.fromEntries(kept));
        answer.pipe(outgoing);
        answer.once('aborted', () => this.broken.push(`cut: ${body.toString('utf8', 0, 200)}`));
        resolve(true);
      });
      outgoing.once('close', () => {
        if (!outgoing.writableFinished) onward.destroy();
      });
      onward.end(body);
    });
  }

  /** Each on its own: one that is slow to answer must not keep what is wrong with another one from being seen. */
  private async probeForEver(backend: Backend): Promise<void> {
    while (this.server.listening) {
      const { url } = backend;
      const ready = await isReady(url);
      // It may have moved meanwhile.
      if (backend.url === url) backend.healthy = ready;
      await pause(PROBE_EVERY_MS);
    }
  }
}

/** Over a connection of its own, as probes are. */
function isReady(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = request(`${url}/readyz`, { agent: false, timeout: PROBE_TIMEOUT_MS }, (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200);
    });
    probe.once('timeout', () => probe.destroy());
    probe.once('error', () => resolve(false));
    probe.end();
  });
}
