import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Simulator } from '../simulator/index.js';
import { callTool, connectHttp } from '../support/client.js';
import { freePort } from '../support/redis.js';
import { describeChart, type KubernetesObject, render, type Rendered, ROOT } from './helm/chart.js';

const STARTED = /MCP is served at/;

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

async function run(args: string[], env: Record<string, string>, until?: RegExp) {
  const child = spawn(process.execPath, args, { env, cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  let written = '';
  const ended = once(child, 'exit') as Promise<[number | null]>;
  const found = new Promise<void>((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        written += chunk.toString();
        if (until?.test(written)) resolve();
      });
    }
  });
  const stop = async () => {
    if (child.exitCode === null) child.kill('SIGTERM');
    return (await ended)[0];
  };
  await Promise.race([found, ended]);
  return { stop, code: child.exitCode, written: () => written };
}

describeChart('a server with the environment that the Helm chart gives it', () => {
  it('serves, is ready, and passes the test of the chart', async () => {
    const [port, managementPort] = [await freePort(), await freePort()];
    const release = await render(
      'bearer',
      `settings.MCP_PORT=${port}`,
      `settings.MCP_MANAGEMENT_PORT=${managementPort}`,
      `settings.ANTHROPIC_BASE_URL="${simulator.url}"`,
    );
    mountSecrets(release);
    const server = await run([join(ROOT, 'dist', 'main.js'), 'http'], environmentOf(release), STARTED);
    toEnd.push(server.stop);
    expect(server.written()).toMatch(STARTED);

    const client = await connectHttp(`http://127.0.0.1:${port}`, undefined, 'ci-secret-bearer-token');
    toEnd.push(() => client.close());
    expect(await callTool(client, 'agent_list', {})).toMatchObject({ isError: false });
    expect(server.written()).not.toContain('ci-secret');

    const [container] = release.one('Pod').spec.containers;
    const given = Object.fromEntries(container.env.map(({ name, value }: KubernetesObject) => [name, value]));
    const at = {
      ...given,
      READY_URL: `http://127.0.0.1:${managementPort}/readyz`,
      MCP_URL: `http://127.0.0.1:${port}/mcp`,
    };
    const passed = await run(container.args, at);
    expect(passed.written()).toMatch(/readyz: 200, expected 200\n.*mcp: 401, expected 401/);
    expect(passed.code).toBe(0);
    const failed = await run(container.args, { ...at, EXPECTED_STATUS: '200' });
    expect(failed.written()).toContain('401, expected 200');
    expect(failed.code).toBe(1);
  });
});
