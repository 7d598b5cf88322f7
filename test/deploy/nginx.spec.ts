import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WaitSettings } from '../../src/config/wait.settings.js';
import { settingsOf } from '../../src/config/setting.decorator.js';
import { FIXTURES, Simulator } from '../simulator/index.js';
import { callTool, connectHttp } from '../support/client.js';
import { Output } from '../support/output.js';
import { eventually } from '../support/eventually.js';
import { atNumberedPort, REFUSED_URL } from '../support/ports.js';
import { serverEnv, TOKEN } from '../support/server.js';
import { startServerProcess } from '../support/server-process.js';
import { ROOT } from './dockerfile.js';

const found = spawnSync('nginx', ['-v']).status === 0;
const CONFIGURATION = readFileSync(join(ROOT, 'deploy/docker/nginx.conf'), 'utf8');

/** nginx as in the profile "scale", with the upstream's name mapped to addresses of this machine. */
class Nginx {
  private constructor(
    readonly url: string,
    private readonly folder: string,
    private readonly child: ChildProcess,
  ) {}

  static start(upstreams: readonly string[]): Promise<Nginx> {
    return atNumberedPort((port) => Nginx.at(port, upstreams));
  }

  private static async at(port: number, upstreams: readonly string[]): Promise<Nginx> {
    const folder = mkdtempSync(join(tmpdir(), 'nginx-'));
    const servers = upstreams.map((upstream) => `server ${new URL(upstream).host} max_fails=1 fail_timeout=5s;`);
    const text = CONFIGURATION.replace(/^ *resolver .*\n/m, '')
      .replace(/server replica:8000 .*;/, servers.join(' '))
      .replace('listen 8080;', `listen 127.0.0.1:${port};`)
      .replaceAll(' /tmp/', ` ${folder}/`);
    writeFileSync(join(folder, 'nginx.conf'), text);
    const child = spawn('nginx', ['-p', folder, '-c', join(folder, 'nginx.conf'), '-g', 'daemon off;'], {
      stdio: ['ignore', 'inherit', 'pipe'],
    });
    const nginx = new Nginx(`http://127.0.0.1:${port}`, folder, child);
    await nginx.ready(new Output(child));
    return nginx;
  }

  async stop(): Promise<void> {
    const exited = once(this.child, 'exit');
    this.child.kill('SIGQUIT');
    await exited;
    rmSync(this.folder, { recursive: true });
  }

  private async ready(output: Output): Promise<void> {
    const health = async () => {
      if (this.child.exitCode !== null) throw new Error(`nginx did not start: ${output.text}`);
      return fetch(`${this.url}/nginx-health`).then(({ status }) => status, String);
    };
    await eventually('nginx is ready', health, (status) => status === 204, { everyMs: 20 });
  }
}

/** An upstream that answers as it is told, and counts. */
class Upstream {
  readonly requests: IncomingMessage[] = [];
  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static async start(answer: (response: ServerResponse, request: IncomingMessage) => void): Promise<Upstream> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const upstream = new Upstream(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    server.on('request', (request, response) => {
      request.resume().once('end', () => {
        upstream.requests.push(request);
        answer(response, request);
      });
    });
    return upstream;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

const post = (url: string) => fetch(`${url}/mcp`, { method: 'POST', body: '{"a call":true}' });

(found ? describe : describe.skip)(
  found ? 'nginx in front of replicas' : 'nginx in front of replicas (skipped: nginx is not installed on this machine)',
  () => {
    const toClose: { stop(): Promise<unknown> }[] = [];
    const started = <T extends { stop(): Promise<unknown> }>(thing: T): T => {
      toClose.push(thing);
      return thing;
    };
    const closing = (thing: { close(): Promise<unknown> }) => ({ stop: () => thing.close() });
    afterEach(async () => {
      for (const thing of toClose.splice(0).reverse()) await thing.stop();
    });

    async function upstream(answer: (response: ServerResponse, request: IncomingMessage) => void): Promise<Upstream> {
      const it = await Upstream.start(answer);
      started(closing(it));
      return it;
    }

    it('balances an MCP client over two servers, and passes the progress of a wait on as it comes', async () => {
      const simulator = await Simulator.start({ fixtures: true });
      started(closing(simulator));
      const servers = [];
      for (let n = 0; n < 2; n++) servers.push(started(await startServerProcess(serverEnv(simulator.url))));
      const nginx = started(await Nginx.start(servers.map(({ url }) => url)));
      const client = await connectHttp(nginx.url, 'legacy');
      started(closing(client));
      const args = { agent_id: FIXTURES.agents.analyst, environment_id: FIXTURES.environments.cloud };
      const { data } = await callTool(client, 'session_start', { ...args, message: 'hello' });
      const progress: string[] = [];
      const result = await client.callTool(
        { name: 'session_wait', arguments: { session_id: data.session_id } },
        { onprogress: ({ message }) => progress.push(message ?? '') },
      );
      expect(result.structuredContent).toMatchObject({ reason: 'turn_over' });
      for (let n = 0; n < 6; n++) await callTool(client, 'session_get', { session_id: data.session_id });
      for (const server of servers) expect(server.stderr()).toContain('"audit"');
    });

    it('gives events on at once, as they come', async () => {
      let finish = () => undefined as void;
      const streaming = await upstream((response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: first\n\n');
        finish = () => void response.end('data: last\n\n');
      });
      const nginx = started(await Nginx.start([streaming.url]));
      const reader = ((await post(nginx.url)).body as ReadableStream<Uint8Array>).getReader();
      // The answer is not over, and would not be on its way if nginx buffered it.
      expect(new TextDecoder().decode((await reader.read()).value)).toBe('data: first\n\n');
      finish();
      expect(new TextDecoder().decode((await reader.read()).value)).toBe('data: last\n\n');
    });

    it('gives a call that a restarting server did not take to another one', async () => {
      const draining = await upstream((response) => void response.writeHead(503, { 'retry-after': '1' }).end());
      const good = await upstream((response) => void response.end('done'));
      const nginx = started(await Nginx.start([draining.url, good.url]));
      const answers = await Promise.all(Array.from({ length: 4 }, () => post(nginx.url)));
      for (let n = 0; n < 6; n++) answers.push(await post(nginx.url));
      expect(draining.requests.length).toBeGreaterThan(0);
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
      expect(good.requests.length).toBe(answers.length);
    });

    it('says 503 with the hint of the server when no server takes the call', async () => {
      const draining = await upstream((response) => void response.writeHead(503, { 'retry-after': '7' }).end('drain'));
      const nginx = started(await Nginx.start([draining.url]));
      const answer = await post(nginx.url);
      expect([answer.status, answer.headers.get('retry-after'), await answer.text()]).toEqual([503, '7', 'drain']);
      expect(draining.requests.length).toBe(2);
    });

    it('never sends a call twice when its connection breaks, for it may have been carried out', async () => {
      const breaking = await upstream((response) => void response.destroy());
      const other = await upstream((response) => void response.destroy());
      const nginx = started(await Nginx.start([breaking.url, other.url]));
      expect((await post(nginx.url)).status).toBe(502);
      expect(breaking.requests.length + other.requests.length).toBe(1);
    });

    it('does not do so after another server did not take it, either', async () => {
      const draining = await upstream((response) => void response.writeHead(503).end());
      const breaking = await upstream((response) => void response.destroy());
      const nginx = started(await Nginx.start([draining.url, breaking.url]));
      expect((await post(nginx.url)).status).toBe(502);
      expect([draining.requests.length, breaking.requests.length]).toEqual([1, 1]);
    });

    it('tries another server when one cannot be reached', async () => {
      const good = await upstream((response) => void response.end('done'));
      const nginx = started(await Nginx.start([REFUSED_URL, good.url]));
      for (let n = 0; n < 4; n++) expect((await post(nginx.url)).status).toBe(200);
    });

    it('loses no call when replicas are scaled away, however many', async () => {
      const good = await upstream((response) => void response.end('done'));
      const gone = Array<string>(4).fill(REFUSED_URL);
      const nginx = started(await Nginx.start([...gone, good.url]));
      const answers = await Promise.all(Array.from({ length: 10 }, () => post(nginx.url)));
      expect(answers.map(({ status }) => status)).toEqual(Array<number>(10).fill(200));
      expect(good.requests.length).toBe(10);
    });

    it('says who the client is and what it asked for, whatever the client says itself', async () => {
      const good = await upstream((response) => void response.end());
      const nginx = started(await Nginx.start([good.url]));
      const forged = {
        'x-forwarded-for': '203.0.113.9',
        'x-forwarded-proto': 'https',
        'x-forwarded-host': 'evil.example',
      };
      await fetch(`${nginx.url}/mcp`, { headers: { ...forged, authorization: `Bearer ${TOKEN}` } });
      const host = new URL(nginx.url).host;
      expect(good.requests[0]!.headers).toMatchObject({
        host,
        authorization: `Bearer ${TOKEN}`,
        'x-forwarded-for': '127.0.0.1',
        'x-forwarded-proto': 'http',
        'x-forwarded-host': host,
      });
    });
  },
);

it('nginx.conf asks for the replicas again within a second, and gives up an address that does not answer as soon', () => {
  expect(CONFIGURATION).toMatch(/resolver 127\.0\.0\.11 valid=1s /);
  expect(CONFIGURATION).toContain('proxy_connect_timeout 1s;');
});

it('nginx.conf is more patient than the longest wait', () => {
  const { kind } = settingsOf(WaitSettings).find(({ env }) => env === 'MCP_WAIT_MAX_SECONDS')!;
  const [, seconds] = /proxy_read_timeout (\d+)s;/.exec(CONFIGURATION)!;
  expect(Number(seconds)).toBeGreaterThan((kind as { max: number }).max);
});
