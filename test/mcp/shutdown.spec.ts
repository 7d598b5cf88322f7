/** What happens to calls under way when the server is told to end. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { FIXTURES, ManualClock, Simulator } from '../simulator/index.js';
import { callTool, connectHttp, ERAS } from '../support/client.js';
import { built } from '../support/built.js';
import { eventually } from '../support/eventually.js';
import { serverEnv } from '../support/server.js';
import { servedBy } from '../support/server-process.js';
import { auditLines } from '../support/stderr.js';

/** Nothing stands before the server that would have to hear of its end. */
const QUICK = { MCP_SHUTDOWN_DELAY_SECONDS: '0' };

/** The API answers late calls when a test moves it. */
let clock: ManualClock;
let simulator: Simulator;
let child: ChildProcess;
/** Any time will do, in ms of that clock. */
const LATE_MS = 10_000;
beforeEach(async () => {
  clock = new ManualClock();
  simulator = await Simulator.start({ fixtures: true, clock });
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
  child = spawn(process.execPath, [built('dist/main.js'), entry], {
    env: serverEnv(simulator.url, { MCP_HOST: '127.0.0.1', MCP_PORT: '0', MCP_LOG_LEVEL: 'info', ...QUICK, ...env }),
  });
  const written = { stdout: '', stderr: '' };
  child.stdout!.on('data', (chunk: Buffer) => (written.stdout += chunk.toString()));
  child.stderr!.on('data', (chunk: Buffer) => (written.stderr += chunk.toString()));
  return { stdout: () => written.stdout, stderr: () => written.stderr, closed: once(child, 'close') };
}

/** The API answers a call under way only once the server drains. */
async function answeredWhileDraining(stderr: () => string): Promise<void> {
  await eventually('the server drains', stderr, (text) => text.includes('draining: waiting for'));
  clock.advance(LATE_MS);
}

/** Resolves when the API has received a request for this path. */
async function received(path: string): Promise<void> {
  await eventually(
    `a request for ${path}`,
    () => simulator.requests.map((request) => request.path),
    (all) => all.includes(path),
  );
}

const urlOf = async (server: ChildProcess) => (await servedBy(server)).url;

it('HTTP: a call under way is answered and audited, then the process ends', async () => {
  simulator.faults.add({ path: /^\/v1\/agents$/, delayMs: LATE_MS });
  const { stderr, closed } = start('http');
  const client = await connectHttp(await urlOf(child));
  const answer = callTool(client, 'agent_list');
  await received('/v1/agents');
  child.kill('SIGTERM');
  await answeredWhileDraining(stderr);
  expect(await answer).toMatchObject({ isError: false });
  await closed;
  expect(child.exitCode).toBe(0);
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
  simulator.faults.add({ path: /^\/v1\/agents$/, delayMs: LATE_MS });
  const { stdout, stderr, closed } = start('stdio');
  child.stdin!.write(input);
  await received('/v1/agents');
  child.kill('SIGTERM');
  await answeredWhileDraining(stderr);
  await closed;
  expect(child.exitCode).toBe(0);
  expect(auditLines(stderr())).toEqual([expect.objectContaining({ audit: 'agent_list', outcome: 'ok' })]);
  expect(stdout()).toContain('"id":2');
});

it('stdio, SIGTERM: a call that comes too late is refused, and told when to try again', async () => {
  simulator.faults.add({ path: /^\/v1\/agents$/, delayMs: LATE_MS });
  const { stdout, stderr, closed } = start('stdio');
  child.stdin!.write(input);
  await received('/v1/agents');
  child.kill('SIGTERM');
  await eventually('the server drains', stderr, (text) => text.includes('draining: waiting for'));
  const params = { name: 'environment_list', arguments: {} };
  child.stdin!.write(`${JSON.stringify({ jsonrpc: '2.0', id: 3, method: 'tools/call', params })}\n`);
  await eventually('the late call is refused', stdout, (text) => text.includes('"id":3'));
  clock.advance(LATE_MS);
  await closed;
  expect(child.exitCode).toBe(0);
  expect(stdout()).toMatch(
    /was not executed\. Call the tool again once the server has been restarted.*"isError":true.*"id":3/,
  );
  expect(stdout()).toMatch(/"id":2/);
  expect(auditLines(stderr())).toContainEqual(
    expect.objectContaining({ audit: 'environment_list', outcome: 'refused', reason: 'shutting_down' }),
  );
});

it('stdio, end of input: a call that hangs is given up after the grace, and audited', async () => {
  simulator.faults.add({ path: /^\/v1\/agents$/, delayMs: LATE_MS, times: Infinity });
  const { stderr, closed } = start('stdio', {
    ANTHROPIC_TIMEOUT_SECONDS: '60',
    ANTHROPIC_MAX_RETRIES: '2',
    MCP_SHUTDOWN_GRACE_SECONDS: '3',
  });
  child.stdin!.write(input);
  await received('/v1/agents');
  child.stdin!.end();
  await closed;
  expect(child.exitCode).toBe(0);
  expect(auditLines(stderr())).toEqual([expect.objectContaining({ outcome: 'failed', reason: 'cancelled' })]);
});

describe('a wait under way', () => {
  /** A session that was never asked anything, for which one waits until the time is up. */
  function quietSession() {
    const { agents, environments } = FIXTURES;
    return simulator.world.sessions.create({ agent: agents.analyst, environment_id: environments.cloud });
  }

  async function followed({ log }: ReturnType<typeof quietSession>, isFollowed = true): Promise<void> {
    await eventually(
      'followers of the session',
      () => log.subscribers,
      (count) => count > 0 === isFollowed,
    );
  }

  const waitFor = (session_id: string) => {
    const params = { name: 'session_wait', arguments: { session_id } };
    return `${JSON.stringify(messages[0])}\n${JSON.stringify({ jsonrpc: '2.0', id: 2, method: 'tools/call', params })}\n`;
  };

  it.each(ERAS)('over HTTP is answered early, with its cursor, when the server ends (%s)', async (_, mode) => {
    const { stderr, closed } = start('http');
    const client = await connectHttp(await urlOf(child), mode);
    const session = quietSession();
    const answer = callTool(client, 'session_wait', { session_id: session.id });
    await followed(session);
    child.kill('SIGTERM');
    expect((await answer).data).toMatchObject({
      reason: 'draining',
      next_since: expect.stringMatching(/^[\w-]+$/),
      next_step: expect.stringContaining('session_wait'),
    });
    await closed;
    expect(child.exitCode).toBe(0);
    expect(auditLines(stderr())).toEqual([expect.objectContaining({ audit: 'session_wait', outcome: 'ok' })]);
  });

  it('over stdio is answered early when the server ends', async () => {
    const { stdout, closed } = start('stdio');
    const session = quietSession();
    child.stdin!.write(waitFor(session.id));
    await followed(session);
    child.kill('SIGTERM');
    await closed;
    expect(child.exitCode).toBe(0);
    expect(stdout()).toMatch(/"id":2.*draining|draining.*"id":2/);
  });

  it('over stdio that is cancelled releases the stream of the API', async () => {
    const { stdout, stderr, closed } = start('stdio');
    const session = quietSession();
    child.stdin!.write(waitFor(session.id));
    await followed(session);
    const cancel = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 2 } };
    child.stdin!.write(`${JSON.stringify(cancel)}\n`);
    await followed(session, false);
    child.stdin!.end();
    await closed;
    expect(child.exitCode).toBe(0);
    expect(stdout()).not.toContain('"id":2');
    expect(auditLines(stderr())).toEqual([expect.objectContaining({ audit: 'session_wait', outcome: 'failed' })]);
  });
});
