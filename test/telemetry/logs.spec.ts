import { stripVTControlCharacters } from 'node:util';
import { Logger } from '@nestjs/common';
import { PinoLogger } from '../../src/telemetry/logs/pino.logger.js';
import { redactor } from '../../src/config/redaction.js';
import { Simulator } from '../simulator/index.js';
import { callTool, connectHttp, connectStdio, ERAS } from '../support/client.js';
import { call as rpc, send } from '../support/rpc.js';
import { serverEnv, startServer, type TestServer, TOKEN } from '../support/server.js';
import { startServerProcess } from '../support/server-process.js';
import { auditLines, logLines, stderrText } from '../support/stderr.js';

const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;

let simulator: Simulator;
let server: TestServer | undefined;
beforeEach(async () => {
  simulator = await Simulator.start({ fixtures: true });
});
afterEach(async () => {
  await server?.close();
  server = undefined;
  await simulator.close();
});

async function start(env: Record<string, string> = {}): Promise<string> {
  server = await startServer(serverEnv(simulator.url, { MCP_LOG_LEVEL: 'warn', ...env }));
  return server.url;
}

const listAgents = (url: string, headers: Record<string, string> = {}) =>
  send(url, { headers, body: rpc('tools/call', { name: 'agent_list', arguments: {} }) });

it('goes on when health and metrics have a port of their own', async () => {
  const child = await startServerProcess(serverEnv(simulator.url, { MCP_MANAGEMENT_PORT: '0' }));
  await send(child.url, { headers: { authorization: undefined }, body: {} });
  expect(await child.stop()).toBe(0);
  expect(child.stderr()).toMatch(/"context":"Auth".*request refused/);
  expect(child.stderr()).toContain('SIGTERM: shutting down');
});

describe('the id of a request', () => {
  it('is that of the client or proxy: in the answer, the log, the audit, and at the API', async () => {
    const url = await start();
    simulator.faults.add({ path: /agents/, status: 500 });
    const { headers } = await listAgents(url, { 'x-request-id': 'edge-42.a:b' });
    expect(headers['x-request-id']).toBe('edge-42.a:b');
    expect(auditLines()).toEqual([expect.objectContaining({ request_id: 'edge-42.a:b' })]);
    expect(logLines()).toEqual([expect.objectContaining({ request_id: 'edge-42.a:b', level: 'error' })]);
    expect(simulator.requests.at(-1)!.headers['x-request-id']).toBe('edge-42.a:b');
  });

  it.each(['with space', '', 'a'.repeat(129), 'quote"', 'ünicode', 'a,b'])(
    'is a new one instead of %j',
    async (given) => {
      const url = await start();
      const { headers } = await listAgents(url, { 'x-request-id': Buffer.from(given).toString('latin1') });
      expect(headers['x-request-id']).toMatch(UUID);
      expect(auditLines()[0]!.request_id).toBe(headers['x-request-id']);
    },
  );

  it('is on refusals that no tool call has to do with', async () => {
    const url = await start();
    const { headers, status } = await send(url, {
      headers: { authorization: undefined, 'x-request-id': 'r-1' },
      body: {},
    });
    expect([status, headers['x-request-id']]).toEqual([401, 'r-1']);
    expect(logLines()).toEqual([expect.objectContaining({ request_id: 'r-1', context: 'Auth' })]);
    for (const path of ['/nowhere', '/%ff', '/mcp/%']) {
      expect(
        (await send(url, { method: 'GET', path, headers: { 'x-request-id': 'r-2' } })).headers['x-request-id'],
      ).toBe('r-2');
    }
  });

  it('is another one for each of many requests at once', async () => {
    const url = await start();
    simulator.faults.add({ path: /agents/, status: 400, times: Infinity });
    const ids = Array.from({ length: 30 }, (_, index) => `many-${index}`);
    await Promise.all(ids.map((id) => listAgents(url, { 'x-request-id': id })));
    expect(new Set(logLines().map(({ request_id }) => request_id))).toEqual(new Set(ids));
    expect(new Set(auditLines().map(({ request_id }) => request_id))).toEqual(new Set(ids));
    expect(new Set(simulator.requests.map(({ headers }) => headers['x-request-id']))).toEqual(new Set(ids));
  });

  it.each(ERAS)('is a new one for every call over stdio (%s)', async (_, mode) => {
    const { client, stderr } = await connectStdio(serverEnv(simulator.url), mode);
    await callTool(client, 'agent_list');
    await callTool(client, 'agent_list');
    await client.close();
    const ids = auditLines(stderr()).map(({ request_id }) => request_id);
    expect(ids).toEqual([expect.stringMatching(UUID), expect.stringMatching(UUID)]);
    expect(ids[0]).not.toBe(ids[1]);
  });
});

describe('lines', () => {
  it('are one JSON object each, from the first to the last', async () => {
    const process = await startServerProcess(serverEnv(simulator.url, { MCP_LOG_LEVEL: 'trace' }));
    await callTool(await connectHttp(process.url), 'agent_list');
    await process.stop();
    const lines = process.stderr().trim().split('\n');
    const read = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(read.filter((line) => 'audit' in line)).toHaveLength(1);
    for (const line of read.filter((other) => !('audit' in other))) {
      expect(line).toMatchObject({
        level: expect.stringMatching(/^(fatal|error|warn|info|debug|trace)$/),
        msg: expect.any(String),
      });
      expect(line.time).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    }
  });

  it('are text for people where that is asked for; audit lines stay JSON', async () => {
    const url = await start({ MCP_LOG_FORMAT: 'pretty' });
    simulator.faults.add({ path: /agents/, status: 500 });
    await listAgents(url, { 'x-request-id': 'edge-42' });
    expect(auditLines()).toHaveLength(1);
    const [line] = stripVTControlCharacters(stderrText()).split('\n');
    expect(line).toMatch(/^\[\d{4}-\d\d-\d\d [\d:.]+\] ERROR: \[ToolCall\] API call failed .*"request_id":"edge-42"/);
  });

  it('say where the server is, however little is to be said', async () => {
    const process = await startServerProcess(serverEnv(simulator.url), { logLevel: 'fatal' });
    await process.stop();
    expect(logLines(process.stderr())).toEqual([
      expect.objectContaining({ level: 'info', msg: `MCP is served at ${process.url}/mcp` }),
    ]);
  });
});

describe('what is logged', () => {
  let written = '';
  const write = (leastSevere: 'trace' | 'error', log: (logger: Logger) => void) => {
    written = '';
    const pino = new PinoLogger(leastSevere, { write: (line) => (written += line) });
    Logger.overrideLogger(pino);
    log(new Logger('Here'));
    return logLines(written);
  };

  it('has the level, the context, and the fields of an object', () => {
    const lines = write('trace', (logger) => {
      logger.log('a');
      logger.verbose({ message: 'b', status: 500 });
      logger.fatal('c');
    });
    expect(lines).toEqual([
      { level: 'info', time: expect.any(String), context: 'Here', msg: 'a' },
      { level: 'trace', time: expect.any(String), context: 'Here', msg: 'b', status: 500 },
      { level: 'fatal', time: expect.any(String), context: 'Here', msg: 'c' },
    ]);
  });

  it('of an error are name, message, stack and causes, and nothing that hangs on it', () => {
    const cause = Object.assign(new TypeError('inner'), { body: 'what a user wrote' });
    const [line] = write('error', (logger) => {
      logger.warn('not severe enough');
      logger.error(Object.assign(new Error('outer', { cause }), { headers: { cookie: 'c' } }));
    });
    expect(line).toMatchObject({
      msg: 'outer',
      err: { type: 'Error', cause: { type: 'TypeError', message: 'inner' } },
    });
    expect(written).not.toMatch(/what a user wrote|cookie/);
  });
});

it.each([
  ['a setting', `token ${TOKEN} here`, 'token [redacted] here'],
  ['a setting within JSON', JSON.stringify({ msg: 'say "cheese"' }), '{"msg":"[redacted]"}'],
  ['a key of the API', 'key sk-ant-api03-abc_DEF-123.', 'key [redacted].'],
  ['a JWT', 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln is bad', '[redacted] is bad'],
  ['an authorization header', 'Authorization: bearer abcdefgh12345678', 'Authorization: bearer [redacted]'],
  ['a password in an address', 'rediss://user:pa55word@host:6379/0', 'rediss://user:[redacted]@host:6379/0'],
  ['nothing', 'bearer of news at http://host:80/a@b', 'bearer of news at http://host:80/a@b'],
])('takes out %s', (_, text, expected) => {
  expect(redactor([TOKEN, 'say "cheese"', 'x'])(text)).toBe(expected);
});
