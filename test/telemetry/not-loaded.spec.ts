/** A server that is not watched pays nothing for telemetry: the SDK of OpenTelemetry is not even loaded. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { built } from '../support/built.js';
import { serverEnv } from '../support/server.js';

const SDK = /node_modules\/@opentelemetry\/(sdk-|exporter-|resources|otlp-)/;

/** Runs before the server, and writes down what was loaded when the process ends. */
const NOTE_MODULES = `
  process.on('exit', () => {
    require('node:fs').writeFileSync(process.env.LOADED_MODULES, Object.keys(require.cache).join('\\n'));
  });`;

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'loaded-'))));
afterEach(() => rmSync(folder, { recursive: true }));

/** The modules a server over stdio has loaded when it ends, which it does as soon as stdin does. */
async function loadedModules(env: Record<string, string> = {}): Promise<string[]> {
  const noted = join(folder, 'modules.txt');
  const hook = join(folder, 'hook.cjs');
  writeFileSync(hook, NOTE_MODULES);
  const child = spawn(process.execPath, ['--require', hook, built('build/main.js'), 'stdio'], {
    env: { ...serverEnv('http://127.0.0.1:9'), ...env, LOADED_MODULES: noted },
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  child.stdin.end();
  const [code] = (await once(child, 'close')) as [number | null];
  expect(code).toBe(0);
  return readFileSync(noted, 'utf8').split('\n');
}

it('with nothing switched on, and with everything switched off', async () => {
  const off = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9', OTEL_SDK_DISABLED: 'true' };
  for (const modules of [await loadedModules({}), await loadedModules(off)]) {
    expect(modules.length).toBeGreaterThan(100);
    expect(modules.filter((path) => SDK.test(path))).toEqual([]);
  }
});

it('with an address to send to it is', async () => {
  const modules = await loadedModules({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' });
  expect(modules.filter((path) => SDK.test(path)).length).toBeGreaterThan(3);
});
