/** The end of the server process, stage by stage, as those see it who still talk to it. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Fault, ManualClock, Simulator } from '../simulator/index.js';
import { built } from '../support/built.js';
import { eventually } from '../support/eventually.js';
import { call, send } from '../support/rpc.js';
import { serverEnv } from '../support/server.js';
import { type ServerProcess, startServerProcess } from '../support/server-process.js';

/** The API answers late calls when a test moves it. */
let clock: ManualClock;
let simulator: Simulator;
let server: ServerProcess;
const toClose: (() => unknown)[] = [];
beforeEach(async () => {
  clock = new ManualClock();
  simulator = await Simulator.start({ fixtures: true, clock });
});
afterEach(async () => {
  server.child.kill('SIGKILL');
  for (const close of toClose.splice(0)) await close();
  await simulator.close();
});

/** Any time will do, in ms of that clock. */
const LATE_MS = 10_000;
const AGENTS = /^\/v1\/agents$/;
const agentList = call('tools/call', { name: 'agent_list', arguments: {} });
const get = (path: string) => send(server.url, { method: 'GET', path, headers: { 'content-type': undefined } });

async function start(env: Record<string, string> = {}): Promise<void> {
  server = await startServerProcess(serverEnv(simulator.url, env));
}

/** A call whose answer from the API is long in coming. */
async function callUnderWay(fault: Fault) {
  simulator.faults.add({ path: AGENTS, ...fault });
  const answer = send(server.url, { body: agentList });
  answer.catch(() => undefined);
  const asked = () => simulator.requests.map(({ path }) => path);
  await eventually('the API is asked', asked, (paths) => paths.some((path) => AGENTS.test(path)));
  // Not the promise itself: whoever awaits this would wait for it.
  return { answer };
}

it('answers while it leaves, refuses once it drains, and ends when the last call is answered', async () => {
  await start({ MCP_SHUTDOWN_GRACE_SECONDS: '60', MCP_SHUTDOWN_DELAY_SECONDS: '3' });
  const { answer: underWay } = await callUnderWay({ delayMs: LATE_MS });
  const exited = server.stop();

  const ready = await eventually(
    'the server is not ready',
    () => get('/readyz'),
    ({ status }) => status === 503,
  );
  expect(ready.json).toEqual({
    status: 'not_ready',
    checks: { accepting_calls: 'failing' },
  });
  expect(await get('/healthz')).toMatchObject({ status: 200 });
  expect(await send(server.url, { body: call('tools/list') })).toMatchObject({
    status: 200,
    headers: { connection: 'close' },
    json: { result: expect.anything() },
  });

  const refused = await eventually(
    'a call is refused',
    () => send(server.url, { body: agentList }),
    ({ status }) => status !== 200,
  );
  expect(refused).toMatchObject({
    status: 503,
    headers: { 'retry-after': '1', connection: 'close' },
    json: {
      jsonrpc: '2.0',
      id: null,
      error: { code: -32000, message: expect.stringContaining('was not executed. Send') },
    },
  });
  expect(await get('/readyz')).toMatchObject({ status: 503 });
  expect(await get('/healthz')).toMatchObject({ status: 200 });

  clock.advance(LATE_MS);
  expect(await underWay).toMatchObject({ status: 200, headers: { connection: 'close' } });
  expect(await exited).toBe(0);
});

it.each<[string, Fault]>([
  ['the API does not answer', { delayMs: LATE_MS }],
  ['half of an answer arrived', { stalls: true }],
  ['the API is to be asked again', { status: 429, retryAfter: 5, times: Infinity }],
])('gives up a call that takes too long in time to answer and to record it: %s', async (_, fault) => {
  await start({
    // What is left of it when the call is given up has to be enough for a busy machine to answer and to record.
    MCP_SHUTDOWN_GRACE_SECONDS: '10',
    ANTHROPIC_TIMEOUT_SECONDS: '60',
    ANTHROPIC_MAX_RETRIES: '10',
  });
  const { answer: underWay } = await callUnderWay(fault);
  const exited = server.stop();
  expect(await underWay).toMatchObject({ status: 200, json: { result: { isError: true } } });
  expect(await exited).toBe(0);
  expect(server.stderr()).toMatch(/"audit":"agent_list".*"outcome":"failed"/);
  expect(server.stderr()).not.toContain('did not finish within');
});

it('a signal from a terminal does not wait for load balancers', async () => {
  await start({ MCP_SHUTDOWN_GRACE_SECONDS: '3600', MCP_SHUTDOWN_DELAY_SECONDS: '1800' });
  const exited = once(server.child, 'exit');
  server.child.kill('SIGINT');
  expect(await exited).toEqual([0, null]);
});

it('a second signal ends it at once', async () => {
  await start({ MCP_SHUTDOWN_GRACE_SECONDS: '3600' });
  await callUnderWay({ delayMs: LATE_MS });
  const exited = once(server.child, 'exit');
  server.child.kill('SIGTERM');
  await eventually(
    'the server ends',
    () => server.stderr(),
    (text) => text.includes('SIGTERM: shutting down'),
  );
  server.child.kill('SIGTERM');
  expect(await exited).toEqual([128 + 15, null]);
});

/** Has the server run this first. */
function running(source: string): Record<string, string> {
  const folder = mkdtempSync(join(tmpdir(), 'ending-'));
  toClose.push(() => rmSync(folder, { recursive: true }));
  const script = join(folder, 'first.cjs');
  writeFileSync(script, source);
  return { NODE_OPTIONS: `--require ${script}` };
}

it('a signal that comes before it listens ends it as well', async () => {
  const signalled = running(`
    const { Server } = require('node:net');
    const { listen } = Server.prototype;
    Server.prototype.listen = function (...args) {
      Server.prototype.listen = listen;
      process.kill(process.pid, 'SIGTERM');
      return listen.apply(this, args);
    };`);
  const env = serverEnv(simulator.url, { ...signalled, MCP_PORT: '0', MCP_SHUTDOWN_DELAY_SECONDS: '0' });
  const child = spawn(process.execPath, [built('dist/main.js'), 'http'], { env, stdio: 'ignore' });
  expect(await once(child, 'exit')).toEqual([0, null]);
});

describe('an error nobody foresaw', () => {
  /** Fails inside of the server when it gets SIGUSR2. */
  const faulty = (body: string) => running(`process.on('SIGUSR2', () => { ${body} });`);

  async function crash(): Promise<void> {
    const exited = once(server.child, 'exit');
    server.child.kill('SIGUSR2');
    expect(await exited).toEqual([1, null]);
  }

  it('is a line of the log like any other, without secrets', async () => {
    await start(faulty(`throw new Error('unforeseen sk-ant-test-canary', { cause: new Error('deeper') });`));
    await crash();
    const line = server
      .stderr()
      .split('\n')
      .find((text) => text.includes('unforeseen'))!;
    expect(JSON.parse(line)).toMatchObject({
      level: 'fatal',
      msg: 'unforeseen [redacted]',
      err: { cause: { message: 'deeper' } },
    });
    expect(server.stderr()).not.toContain('canary');
  });

  it('gives up calls under way, and leaves a record of each', async () => {
    await start({ ...faulty(`throw new Error('unforeseen');`), ANTHROPIC_TIMEOUT_SECONDS: '60' });
    await callUnderWay({ delayMs: LATE_MS });
    await crash();
    expect(server.stderr()).toMatch(/"audit":"agent_list".*"outcome":"failed"/);
  });

  it('at the start is one as well: a port that is taken', async () => {
    await start();
    const at = Number(new URL(server.url).port);
    await expect(startServerProcess(serverEnv(simulator.url), { at })).rejects.toThrow(
      /"level":"fatal".*EADDRINUSE.*set MCP_PORT to another port/,
    );
  });

  it.each([
    ['thrown', `throw new Error('unforeseen');`],
    ['rejected', `Promise.reject(new Error('unforeseen'));`],
  ])('%s, is told, and audit records on their way still arrive', async (_, body) => {
    const delivered: string[] = [];
    let status = 503;
    let refusals = 0;
    const collector = createServer((request, response) => {
      void request.toArray().then((chunks) => {
        if (status === 200) delivered.push(Buffer.concat(chunks as Buffer[]).toString());
        else refusals += 1;
        response.writeHead(status).end();
      });
    });
    await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
    toClose.push(() => collector.close());
    const { port } = collector.address() as AddressInfo;
    await start({ ...faulty(body), MCP_AUDIT_URL: `http://127.0.0.1:${port}/audit` });
    await send(server.url, { body: agentList });
    await eventually(
      'the collector is asked',
      () => refusals,
      (count) => count > 0,
    );
    status = 200;
    await crash();
    expect(server.stderr()).toContain('Error: unforeseen');
    expect(delivered.join('')).toContain('"audit":"agent_list"');
  });
});
