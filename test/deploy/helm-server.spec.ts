import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Simulator } from '../simulator/index.js';
import { callTool, connectHttp } from '../support/client.js';
import { built } from '../support/built.js';
import { Output } from '../support/output.js';
import { atNumberedPort, numberedPort } from '../support/ports.js';
import { servedBy } from '../support/server-process.js';
import { describeChart, type KubernetesObject, render, type Rendered } from './helm/chart.js';

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

/** The pod's server; the chart wants fixed ports, because Services lead to them. */
async function serve(port: number) {
  const managementPort = numberedPort();
  const release = await render(
    'bearer',
    `settings.MCP_PORT=${port}`,
    `settings.MCP_MANAGEMENT_PORT=${managementPort}`,
    `settings.ANTHROPIC_BASE_URL="${simulator.url}"`,
  );
  mountSecrets(release);
  const server = await servedBy(start([built('dist/main.js'), 'http'], environmentOf(release)));
  toEnd.push(server.stop);
  return { release, server, port, managementPort };
}

describeChart('a server with the environment that the Helm chart gives it', () => {
  it('serves, is ready, and passes the test of the chart', async () => {
    const { release, server, port, managementPort } = await atNumberedPort(serve);
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
});
