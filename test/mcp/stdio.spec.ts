import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { Simulator } from '../simulator/index.js';
import { callTool, connectStdio, ERAS } from '../support/client.js';
import { built } from '../support/built.js';
import { serverEnv } from '../support/server.js';
import { auditLines } from '../support/stderr.js';

let simulator: Simulator;
beforeAll(async () => {
  simulator = await Simulator.start({ fixtures: true });
});
afterAll(() => simulator.close());

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the executable, writes `input` and closes stdin. */
async function run(args: string[], env: Record<string, string>, input = '', cwd?: string): Promise<Ended> {
  const child = spawn(process.execPath, [built('dist/main.js'), ...args], { env, cwd });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  child.stdin.end(input);
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout, stderr };
}

const initialize = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'test', version: '1' } },
};

it('writes nothing but JSON-RPC to stdout, even at the most talkative log level, and ends with stdin', async () => {
  const messages = [
    initialize,
    { jsonrpc: '2.0', method: 'notifications/initialized' },
    { jsonrpc: '2.0', id: 2, method: 'tools/list' },
    { jsonrpc: '2.0', id: 3, method: 'tools/call', params: { name: 'agent_get', arguments: { agent_id: '../x' } } },
  ];
  const input = messages.map((message) => `${JSON.stringify(message)}\n`).join('');
  const { code, stdout, stderr } = await run(['stdio'], { ...serverEnv(simulator.url), MCP_LOG_LEVEL: 'trace' }, input);
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { jsonrpc: string; id: number });
  expect(lines.map((line) => [line.jsonrpc, line.id])).toEqual([
    ['2.0', 1],
    ['2.0', 2],
    ['2.0', 3],
  ]);
  expect(stderr).toContain('"audit":"agent_get"');
  expect(code).toBe(0);
});

it.each([[[]], [['stdio']]])('serves stdio when started with %j', async (args) => {
  const { code, stdout } = await run(args, serverEnv(simulator.url), `${JSON.stringify(initialize)}\n`);
  expect(JSON.parse(stdout)).toMatchObject({ id: 1, result: { protocolVersion: '2025-06-18' } });
  expect(code).toBe(0);
});

it.each(ERAS)('needs no inbound authentication and acts as the local principal (%s)', async (_version, mode) => {
  const env = { ANTHROPIC_API_KEY: 'key', ANTHROPIC_BASE_URL: simulator.url };
  const { client, stderr } = await connectStdio(env, mode);
  expect((await callTool(client, 'vault_list')).isError).toBe(false);
  await client.close();
  expect(auditLines(stderr())).toEqual([
    expect.objectContaining({ audit: 'vault_list', principal: 'local', issuer: 'stdio' }),
  ]);
});

it.each([['unknown'], ['http', 'extra']])('explains itself when started with %s %s', async (...args) => {
  const { code, stdout, stderr } = await run(args.filter(Boolean), {});
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(/^Usage: managed-agent-control-mcp/);
});

it('does not read the .env of the project it is started in, which could send the key elsewhere', async () => {
  const project = mkdtempSync(join(tmpdir(), 'project-'));
  writeFileSync(join(project, '.env'), 'ANTHROPIC_VERSION=from-the-project\nMCP_READ_ONLY=true\n');
  const call = { jsonrpc: '2.0', id: 2, method: 'tools/call', params: { name: 'agent_list', arguments: {} } };
  const input = [initialize, call].map((message) => `${JSON.stringify(message)}\n`).join('');
  const { code } = await run(['stdio'], serverEnv(simulator.url), input, project);
  rmSync(project, { recursive: true });
  expect(code).toBe(0);
  expect(simulator.requests.at(-1)!.headers['anthropic-version']).not.toBe('from-the-project');
});

describe('doctor', () => {
  it('finds usable settings and a working credential, and says what is open', async () => {
    const { code, stderr } = await run(['doctor'], serverEnv(simulator.url));
    expect(stderr).toMatch(/^ok +the settings are valid for http$/m);
    expect(stderr).toMatch(/^open +any agent may be started/m);
    expect(stderr).toMatch(/^open +every caller may do everything; see MCP_ROLE_BINDINGS$/m);
    expect(stderr).toMatch(/^open +callers can reach the sessions of others; see MCP_SESSION_ISOLATION$/m);
    expect(stderr).toMatch(/^ok +the Managed Agents API accepts the credential$/m);
    expect(code).toBe(0);
  });

  it('finds what is wrong, without showing a secret', async () => {
    const wrong = await run(['doctor', 'http'], { HOME: '/nonexistent', MCP_PORT: 'x' });
    expect(wrong.stderr).toMatch(/^problem +ANTHROPIC_API_KEY: is missing/m);
    expect(wrong.stderr).toMatch(/^problem +MCP_PORT: /m);
    expect(wrong.code).toBe(1);

    simulator.faults.add({ path: /agents/, status: 401 });
    const refused = await run(['doctor', 'stdio'], serverEnv(simulator.url));
    expect(refused.stderr).toMatch(/^problem +The Managed Agents API does not accept the credential/m);
    expect(refused.stderr).not.toContain('sk-ant-test-canary');
    expect(refused.code).toBe(1);
  });
});

it('does not start without a credential, and says what to set', async () => {
  const { code, stdout, stderr } = await run(['stdio'], { HOME: '/nonexistent' });
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toContain('ANTHROPIC_API_KEY: is missing');
  expect(stderr).not.toMatch(/^\s+at /m);
});
