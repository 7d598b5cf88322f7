/** What happens to calls under way when the server is told to end. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { Simulator } from '../simulator/index.js';
import { callTool, connectHttp } from '../support/client.js';
import { serverEnv } from '../support/server.js';
import { auditLines } from '../support/stderr.js';

const MAIN = join(__dirname, '..', '..', 'dist', 'main.js');

let simulator: Simulator;
let child: ChildProcess;
beforeEach(async () => {
  simulator = await Simulator.start({ fixtures: true });
});
afterEach(async () => {
  child.kill('SIGKILL');
  await simulator.close();
});

interface Running {
  readonly stderr: () => string;
  readonly stdout: () => string;
  readonly closed: Promise<unknown>;
}

function start(entry: string, env: Record<string, string> = {}): Running {
  child = spawn(process.execPath, [MAIN, entry], {
    env: serverEnv(simulator.url, { MCP_HOST: '127.0.0.1', MCP_PORT: '0', MCP_LOG_LEVEL: 'log', ...env }),
  });
  const written = { stdout: '', stderr: '' };
  child.stdout!.on('data', (chunk: Buffer) => (written.stdout += chunk.toString()));
  child.stderr!.on('data', (chunk: Buffer) => (written.stderr += chunk.toString()));
  return { stdout: () => written.stdout, stderr: () => written.stderr, closed: once(child, 'close') };
}

/** Resolves when the API has received a request for this path. */
async function received(path: string): Promise<void> {
  while (!simulator.requests.some((request) => request.path === path)) await new Promise(setImmediate);
}

async function urlOf(server: ChildProcess): Promise<string> {
  for await (const line of createInterface({ input: server.stderr! })) {
    const url = /served at (http:\/\/\S+)\/mcp/.exec(line)?.[1];
    if (url) return url;
  }
  throw new Error('the server ended');
}

it('HTTP: a call under way is answered and audited, then the process ends', async () => {
  simulator.faults.add({ path: /^\/v1\/agents$/, delayMs: 700 });
  const { stderr, closed } = start('http');
  const client = await connectHttp(await urlOf(child));
  const answer = callTool(client, 'agent_list');
  await received('/v1/agents');
  child.kill('SIGTERM');
  expect(await answer).toMatchObject({ isError: false });
  await closed;
  expect(auditLines(stderr())).toEqual([expect.objectContaining({ audit: 'agent_list', outcome: 'ok' })]);
});

const messages = [
  {
    jsonrpc: '2.0',
    id: 1,
    method: 'initialize',
    params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'test', version: '1' } },
  },
  { jsonrpc: '2.0', id: 2, method: 'tools/call', params: { name: 'agent_list', arguments: {} } },
];
const input = messages.map((message) => `${JSON.stringify(message)}\n`).join('');

it('stdio, SIGTERM: a call under way is answered and audited, then the process ends', async () => {
  simulator.faults.add({ path: /^\/v1\/agents$/, delayMs: 700 });
  const { stdout, stderr, closed } = start('stdio');
  child.stdin!.write(input);
  await received('/v1/agents');
  child.kill('SIGTERM');
  await closed;
  expect(auditLines(stderr())).toEqual([expect.objectContaining({ audit: 'agent_list', outcome: 'ok' })]);
  expect(stdout()).toContain('"id":2');
});

it('stdio, end of input: a call that hangs is given up after the grace, and audited', async () => {
  simulator.faults.add({ path: /^\/v1\/agents$/, delayMs: 120_000, times: Infinity });
  const { stderr, closed } = start('stdio', { ANTHROPIC_TIMEOUT_SECONDS: '60', ANTHROPIC_MAX_RETRIES: '2' });
  child.stdin!.write(input);
  await received('/v1/agents');
  child.stdin!.end();
  await closed;
  expect(child.exitCode).toBe(0);
  expect(auditLines(stderr())).toEqual([expect.objectContaining({ outcome: 'failed', reason: 'cancelled' })]);
});
