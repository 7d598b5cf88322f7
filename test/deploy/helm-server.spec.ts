import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { type AddressInfo } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Simulator } from '../simulator/index.js';
import { callTool, connectHttp } from '../support/client.js';
import { built } from '../support/built.js';
import { Output } from '../support/output.js';
import { atNumberedPort, numberedPort } from '../support/ports.js';
import { servedBy } from '../support/server-process.js';
import { describeChart, type KubernetesObject, render, type Rendered } from './helm/chart.js';
import { TestIssuer } from '../support/issuer.js';

const hasIPv6 = Object.values(networkInterfaces()).some((found) => found?.some(({ family }) => family === 'IPv6'));

let root: string;
let simulator: Simulator;
const toEnd: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'helm-server-'));
  simulator = await Simulator.start({ fixtures: true });
  toEnd.push(() => simulator.close());
});
afterEach(async () => {
  for (const end of toEnd.splice(0).reverse()) await end();
  rmSync(root, { recursive: true });
});

/** Writes the files of the Secrets where the pod has them mounted, below `root`. */
function mountSecrets(release: Rendered): void {
  const { spec } = release.pod;
  for (const { name, mountPath } of spec.containers[0].volumeMounts) {
    const volume = spec.volumes.find((one: KubernetesObject) => one.name === name);
    for (const { secret } of volume.projected.sources) {
      const data: Record<string, string> = release.one('Secret', secret.name).data;
      for (const { key, path } of secret.items) {
        const file = join(root, mountPath, path);
        mkdirSync(dirname(file), { recursive: true });
        writeFileSync(file, Buffer.from(data[key]!, 'base64'), { mode: 0o440 });
      }
    }
  }
}

/** Exactly the environment of the pod; its files are below `root`. */
function environmentOf(release: Rendered): Record<string, string> {
  const entries = Object.entries(release.environment).map(([name, value]) => {
    return [name, name.endsWith('_FILE') ? join(root, value) : value] as const;
  });
  return Object.fromEntries(entries);
}

const start = (args: string[], env: Record<string, string>) =>
  spawn(process.execPath, args, { env, cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });

async function run(args: string[], env: Record<string, string>) {
  const child = start(args, env);
  const output = new Output(child);
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, written: output.text };
}

/** The server of a release; the chart wants fixed ports, because Services lead to them. */
const serve = (file: string, set: string[] = [], options: Record<string, string> = {}) =>
  atNumberedPort(async (port) => {
    const managementPort = numberedPort();
    const release = await render(file, [
      `settings.MCP_PORT=${port}`,
      `settings.MCP_MANAGEMENT_PORT=${managementPort}`,
      `settings.ANTHROPIC_BASE_URL="${simulator.url}"`,
      ...set,
    ]);
    mountSecrets(release);
    const server = await servedBy(start([built('dist/main.js'), 'http'], { ...environmentOf(release), ...options }));
    toEnd.push(server.stop);
    return { release, server, port, managementPort };
  });

/** A gateway that does what the rules of an HTTPRoute say, the longest prefix first. */
async function gateway(release: Rendered, port: number): Promise<string> {
  const rules: KubernetesObject[] = release.one('HTTPRoute').spec.rules;
  const matches = rules
    .flatMap(({ matches, filters = [] }) =>
      (matches as KubernetesObject[]).map(({ path }) => ({
        prefix: path.value as string,
        replacement: filters[0]?.urlRewrite.path.replacePrefixMatch as string | undefined,
      })),
    )
    .toSorted((one, other) => other.prefix.length - one.prefix.length);
  const server = createServer((incoming, outgoing) => {
    const url = incoming.url!;
    const match = matches.find(({ prefix }) => `${url.split('?')[0]!}/`.startsWith(`${prefix.replace(/\/$/, '')}/`));
    if (!match) return void outgoing.writeHead(404).end('no route');
    const rest = url.slice(match.prefix.length).replace(/^\//, '');
    const path = match.replacement === undefined ? url : `${match.replacement}${rest}`;
    const { method, headers } = incoming;
    const forwarded = request({ host: '127.0.0.1', port, method, path, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(outgoing);
    });
    incoming.pipe(forwarded);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  toEnd.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const statusAt = async (url: string): Promise<number> => (await fetch(url)).status;

describeChart('a server with the environment that the Helm chart gives it', () => {
  it('serves, is ready, and passes the test of the chart', async () => {
    const { release, server, port, managementPort } = await serve('bearer');
    const client = await connectHttp(`http://127.0.0.1:${port}`, undefined, 'ci-secret-bearer-token');
    toEnd.push(() => client.close());
    expect(await callTool(client, 'agent_list', {})).toMatchObject({ isError: false });
    expect(server.stderr()).not.toContain('ci-secret');

    const [container] = release.one('Pod').spec.containers;
    const given = Object.fromEntries(container.env.map(({ name, value }: KubernetesObject) => [name, value]));
    const at = {
      ...given,
      READY_URL: `http://127.0.0.1:${managementPort}/readyz`,
      MCP_URL: `http://127.0.0.1:${port}/mcp`,
    };
    const passed = await run(container.args, at);
    expect(passed.written).toMatch(/readyz: 200, expected 200\n.*mcp: 401, expected 401/);
    expect(passed.code).toBe(0);
    const failed = await run(container.args, { ...at, EXPECTED_STATUS: '200' });
    expect(failed.written).toContain('401, expected 200');
    expect(failed.code).toBe(1);
  });

  (hasIPv6 ? it : it.skip)(
    hasIPv6
      ? 'answers probes and calls over IPv6 and over IPv4'
      : 'answers probes and calls over IPv6 (skipped: this machine has no IPv6)',
    async () => {
      const { port, managementPort } = await serve('bearer');
      for (const address of ['127.0.0.1', '[::1]']) {
        expect(await statusAt(`http://${address}:${managementPort}/readyz`)).toBe(200);
        expect(await statusAt(`http://${address}:${port}/mcp`)).not.toBe(200);
      }
    },
  );

  it('listens over IPv4 on a node without IPv6', async () => {
    const withoutIPv6 = { NODE_OPTIONS: `--require ${join(__dirname, 'no-ipv6.cjs')}` };
    const { server, port, managementPort } = await serve('bearer', [], withoutIPv6);
    expect(server.stderr()).toContain('this machine has no IPv6 (MCP_HOST is ::): listening on 0.0.0.0');
    expect(await statusAt(`http://127.0.0.1:${managementPort}/readyz`)).toBe(200);
    expect(await statusAt(`http://127.0.0.1:${port}/mcp`)).toBe(401);
  });

  it('serves below the path of its public URL, behind the HTTPRoute of the chart', async () => {
    const issuer = await TestIssuer.start();
    toEnd.push(() => issuer.close());
    const { release, port } = await serve('gateway', [
      'settings.MCP_PUBLIC_URL="https://apps.example.com/agents"',
      'settings.MCP_ALLOWED_HOSTS="127.0.0.1"',
      'settings.MCP_AUTH_MODE="oidc"',
      `settings.MCP_OIDC_ISSUER="${issuer.url}"`,
      'settings.MCP_OIDC_AUDIENCE="https://apps.example.com/agents/mcp"',
      'secrets.MCP_BEARER_TOKEN=null',
    ]);
    const url = await gateway(release, port);
    const refused = await fetch(`${url}/agents/mcp`, { method: 'POST' });
    expect(refused.status).toBe(401);
    const [, metadata] = /resource_metadata="([^"]+)"/.exec(refused.headers.get('www-authenticate')!)!;
    const { pathname } = new URL(metadata!);
    const document = (await (await fetch(`${url}${pathname}`)).json()) as object;
    expect(document).toMatchObject({ resource: 'https://apps.example.com/agents/mcp' });
    const token = await issuer.token({ aud: 'https://apps.example.com/agents/mcp' });
    const client = await connectHttp(`${url}/agents`, undefined, token);
    toEnd.push(() => client.close());
    expect(await callTool(client, 'agent_list', {})).toMatchObject({ isError: false });
    expect(await statusAt(`${url}/mcp`)).toBe(404);
  });
});
