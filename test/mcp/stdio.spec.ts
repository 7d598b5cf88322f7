import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { FIXTURES, say, Simulator, wait } from '../simulator/index.js';
import { callTool, connectStdio, ERAS } from '../support/client.js';
import { built } from '../support/built.js';
import { eventually } from '../support/eventually.js';
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

describe('what a client writes', () => {
  const lines = (...messages: object[]) => messages.map((message) => `${JSON.stringify(message)}\n`).join('');
  const initialized = { jsonrpc: '2.0', method: 'notifications/initialized' };
  const callOf = (id: number, args: object = {}) => ({
    jsonrpc: '2.0',
    id,
    method: 'tools/call',
    params: { name: 'agent_list', arguments: args },
  });
  const answers = (stdout: string) =>
    stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { id: number; result?: { isError?: boolean }; error?: { code: number } });

  it('is answered although the client closes stdin at once', async () => {
    const input = lines(initialize, initialized, ...Array.from({ length: 50 }, (_unused, index) => callOf(index + 2)));
    const { code, stdout, stderr } = await run(['stdio'], serverEnv(simulator.url), input);
    const ids = answers(stdout).map(({ id }) => id);
    expect(ids.sort((a, b) => a - b)).toEqual(Array.from({ length: 51 }, (_unused, index) => index + 1));
    expect(answers(stdout).filter(({ result }) => !result || result.isError)).toEqual([]);
    expect(auditLines(stderr)).toHaveLength(50);
    expect(stderr).not.toContain('MaxListeners');
    expect(code).toBe(0);
  });

  it('is answered within the grace when a wait is under way', async () => {
    simulator.scenarios.set(FIXTURES.agents.analyst, [wait(600_000), say('done')]);
    const { client } = await connectStdio(serverEnv(simulator.url));
    const { data } = await callTool(client, 'session_start', {
      agent_id: FIXTURES.agents.analyst,
      environment_id: FIXTURES.environments.cloud,
      message: 'work',
    });
    await client.close();
    const params = { name: 'session_wait', arguments: { session_id: data.session_id, timeout_seconds: 50 } };
    const input = lines(initialize, initialized, { jsonrpc: '2.0', id: 2, method: 'tools/call', params });
    const { code, stdout } = await run(['stdio'], serverEnv(simulator.url), input);
    expect(answers(stdout).map(({ id }) => id)).toEqual([1, 2]);
    expect(code).toBe(0);
  });

  it('may begin with a byte order mark, and end without a line break', async () => {
    const input = `\ufeff${lines(initialize, initialized, callOf(2)).trimEnd()}`;
    const { stdout } = await run(['stdio'], serverEnv(simulator.url), input);
    expect(answers(stdout).map(({ id }) => id)).toEqual([1, 2]);
  });

  it('is refused when it is too large or too deep, and the next call is served', async () => {
    const deep = JSON.stringify(callOf(4)).replace('{}', `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`);
    const input = `${lines(initialize, initialized, callOf(2), callOf(3, { a: 'x'.repeat(12_000_000) }))}${deep}\n${lines(callOf(5))}`;
    const { code, stdout } = await run(['stdio'], serverEnv(simulator.url), input);
    const byId = new Map(answers(stdout).map((answer) => [answer.id, answer]));
    expect([...byId.keys()].sort()).toEqual([1, 2, 3, 4, 5]);
    expect([3, 4].map((id) => byId.get(id)?.error?.code)).toEqual([-32600, -32600]);
    expect([2, 5].map((id) => byId.get(id)?.result?.isError ?? false)).toEqual([false, false]);
    expect(code).toBe(0);
  });

  it('is not read on while the client does not read its answers', async () => {
    const child = spawn(process.execPath, [built('dist/main.js'), 'stdio'], { env: serverEnv(simulator.url) });
    child.stderr.resume();
    // Its end breaks the pipe in the middle of the calls.
    child.stdin.on('error', () => undefined);
    const before = simulator.requests.length;
    child.stdin.write(lines(initialize, initialized));
    const CALLS = 20_000;
    child.stdin.write(lines(...Array.from({ length: CALLS }, (_unused, index) => callOf(index + 2))));
    // Nobody reads stdout: the answers fill the pipe, and then the server stops reading.
    let made = 0;
    await eventually(
      'no more requests to the API',
      () => {
        const previous = made;
        made = simulator.requests.length - before;
        return { made, previous };
      },
      ({ previous }) => made > 0 && made === previous,
      { everyMs: 1000 },
    );
    expect(made).toBeLessThan(CALLS / 10);
    child.kill('SIGKILL');
    await once(child, 'close');
  });
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
