import { readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { FIXTURES, Simulator } from '../simulator/index.js';
import { oidcEnv, TestIssuer } from '../support/issuer.js';
import { built } from '../support/built.js';
import { serverEnv, TOKEN } from '../support/server.js';
import { FakeParameterStore } from './fake-parameter-store.js';
import { type FunctionAnswer, FunctionProcess } from './function-process.js';
import { expectSaidSize } from './sizes.js';

const LIST_EVENT = recorded('tools-list');
const DISCOVERY_EVENT = recorded('discovery');
const HOST = LIST_EVENT.requestContext.domainName as string;
const DISPATCHER_PLACES = join(__dirname, 'dispatcher-places.cjs');
const ERAS = ['2025-11-25', '2026-07-28'] as const;

let simulator: Simulator;
const open: (() => Promise<void>)[] = [];

beforeEach(async () => {
  simulator = await Simulator.start({ fixtures: true });
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((end) => end()));
  await simulator.close();
});

function start(env: Record<string, string> = {}): FunctionProcess {
  const fn = new FunctionProcess(serverEnv(simulator.url, env));
  open.push(() => fn.stop());
  return fn;
}

async function storeWith(parameters: Record<string, string>): Promise<FakeParameterStore> {
  const store = await FakeParameterStore.start(parameters);
  open.push(() => store.close());
  return store;
}

async function issuer(): Promise<TestIssuer> {
  const started = await TestIssuer.start();
  open.push(() => started.close());
  return started;
}

describe('requests', () => {
  it('answers a recorded event, cold and warm, with a base64 body or a plain one', async () => {
    const fn = start();
    const cold = await fn.invoke(LIST_EVENT);
    expect(cold).toMatchObject({ statusCode: 200, isBase64Encoded: false });
    expect(toolNames(cold)).toContain('session_wait');
    const plain = { ...LIST_EVENT, body: text(LIST_EVENT.body as string), isBase64Encoded: false };
    expect(JSON.parse((await fn.invoke(plain)).body)).toEqual(JSON.parse(cold.body));
  });

  it.each(ERAS)('calls tools for clients of %s', async (era) => {
    const fn = start();
    const list = await fn.invoke(request(era, 'tools/list', {}));
    expect(toolNames(list)).toContain('agent_get');
    const answer = await fn.invoke(call(era, 'agent_get', { agent_id: FIXTURES.agents.analyst }));
    expect(JSON.parse(answer.body).result.structuredContent).toMatchObject({ id: FIXTURES.agents.analyst });
  });

  it('refuses as over HTTP: no token, no POST, no such place, a page of somebody else', async () => {
    const fn = start();
    const challenged = await fn.invoke(withHeaders(LIST_EVENT, { authorization: undefined }));
    expect(challenged.statusCode).toBe(401);
    expect(challenged.headers['www-authenticate']).toMatch(/^Bearer realm=/);
    expect((await fn.invoke(at(LIST_EVENT, 'GET', '/mcp'))).statusCode).toBe(405);
    expect((await fn.invoke(at(LIST_EVENT, 'GET', '/nowhere'))).statusCode).toBe(404);
    const page = await fn.invoke(withHeaders(LIST_EVENT, { origin: 'https://elsewhere.example' }));
    expect(page.statusCode).toBe(403);
  });

  it('says what it takes when something else invokes it', async () => {
    const fn = start();
    await expect(fn.invoke({ source: 'aws.events' })).rejects.toThrow(
      'accepts only HTTP requests of a function URL (payload format 2.0)',
    );
    expect((await fn.invoke(LIST_EVENT)).statusCode).toBe(200);
  });
});

describe('sign-in', () => {
  it('publishes the address that AWS routes by, and takes tokens of the provider', async () => {
    const provider = await issuer();
    const fn = start(oidcEnv(provider.url));
    const document = await fn.invoke(DISCOVERY_EVENT);
    expect(JSON.parse(document.body)).toMatchObject({
      resource: `https://${HOST}/mcp`,
      authorization_servers: [provider.url],
    });
    const challenged = await fn.invoke(withHeaders(LIST_EVENT, { authorization: undefined }));
    expect(challenged.statusCode).toBe(401);
    expect(challenged.headers['www-authenticate']).toContain(
      `https://${HOST}/.well-known/oauth-protected-resource/mcp`,
    );
    const authorization = `Bearer ${await provider.token()}`;
    expect((await fn.invoke(withHeaders(LIST_EVENT, { authorization }))).statusCode).toBe(200);
  });

  it('publishes MCP_PUBLIC_URL where it is set, and never a Host that a client claims', async () => {
    const provider = await issuer();
    const claimed = withHeaders(DISCOVERY_EVENT, { host: 'evil.example', 'x-forwarded-host': 'evil.example' });
    const own = await start(oidcEnv(provider.url)).invoke(claimed);
    expect(JSON.parse(own.body).resource).toBe(`https://${HOST}/mcp`);
    const published = start(oidcEnv(provider.url, { MCP_PUBLIC_URL: 'https://mcp.example.com' }));
    expect(JSON.parse((await published.invoke(claimed)).body).resource).toBe('https://mcp.example.com/mcp');
  });
});

describe('the time and the end of a call', () => {
  it('cuts a wait to the time that is left, and answers with a cursor', async () => {
    const fn = start();
    const session_id = await sessionOf(fn);
    const wait = call('2025-11-25', 'session_wait', { session_id, timeout_seconds: 40 });
    const { result } = JSON.parse((await fn.invoke(wait, 4000)).body);
    expect(result.structuredContent).toMatchObject({ reason: 'timeout', next_since: expect.any(String) });
    expect(result.content[0].text).toContain('timeout_seconds can be 1 to');
  });

  it('gives up calls of the API in time to answer', async () => {
    const fn = start({ ANTHROPIC_BASE_URL: await silence() });
    await fn.invoke(LIST_EVENT);
    const answer = await fn.invoke(call('2025-11-25', 'agent_list', {}), 3000);
    expect(JSON.parse(answer.body).result).toMatchObject({ isError: true });
  });

  it('delivers the audit record before it answers', async () => {
    const collector = await collect();
    const fn = start({ MCP_AUDIT_URL: collector.url });
    await fn.invoke(call('2025-11-25', 'agent_list', {}));
    expect(collector.records).toMatchObject([{ audit: 'agent_list', outcome: 'ok' }]);
  });

  it.each([
    ['this Node', undefined],
    ['a Node that leaves a wrapper for older versions of undici', 'wrapper'],
    ['a Node that has its connections in two places', 'both'],
  ])(
    'leaves neither streams nor connections to the API behind when it is frozen, and goes on afterwards: %s',
    async (_node, places) => {
      const api = await countConnections(simulator.url);
      const fn = start({
        ANTHROPIC_BASE_URL: api.url,
        ...(places && { NODE_OPTIONS: `--require ${DISPATCHER_PLACES}`, DISPATCHER_PLACES: places }),
      });
      const wait = call('2025-11-25', 'session_wait', { session_id: await sessionOf(fn), timeout_seconds: 1 });
      expect((await fn.invoke(wait)).statusCode).toBe(200);
      fn.freeze();
      expect(api.used()).toBeGreaterThan(0);
      await api.allClosed();
      fn.thaw();
      expect(JSON.parse((await fn.invoke(wait)).body).result.structuredContent.reason).toBe('timeout');
    },
  );
});

describe('settings', () => {
  const PREFIX = '/managed-agent-control/prod';
  const fromStore = (store: FakeParameterStore, env: Record<string, string> = {}) =>
    start({ ...store.env, SSM_PARAM_PREFIX: PREFIX, MCP_BEARER_TOKEN: '', ...env });

  it('come from the parameter store, page by page, under the names that the Python server gives them', async () => {
    const store = await storeWith({
      [`${PREFIX}/anthropic-api-key`]: 'sk-from-the-store',
      [`${PREFIX}/mcp/bearer-token`]: TOKEN,
      [`${PREFIX}/mcp_read_only`]: 'true',
      [`${PREFIX}/node-options`]: '--inspect',
      '/managed-agent-control/other/mcp-allow-insecure-no-auth': 'true',
    });
    const fn = fromStore(store, { ANTHROPIC_API_KEY: '', MCP_LOG_LEVEL: 'warn' });
    const list = await fn.invoke(LIST_EVENT);
    expect(toolNames(list)).not.toContain('session_start');
    await fn.invoke(call('2025-11-25', 'agent_list', {}));
    expect(simulator.requests.at(-1)?.headers.authorization).toBe('Bearer sk-from-the-store');
    expect(store.queries).toMatchObject([
      { Path: PREFIX, Recursive: true, WithDecryption: true },
      { Path: PREFIX, NextToken: '2' },
    ]);
    expect(fn.stderr).toContain(`which are ignored: ${PREFIX}/node-options`);
    expect(fn.stderr).not.toContain('--inspect');
    expect(fn.stderr).not.toContain('sk-from-the-store');
  });

  it('are the explicit ones where both are there', async () => {
    const store = await storeWith({
      [`${PREFIX}/mcp-bearer-token`]: 'another-token-from-the-parameter-store',
      [`${PREFIX}/mcp-read-only`]: 'true',
    });
    const fn = fromStore(store, { MCP_BEARER_TOKEN: TOKEN, MCP_READ_ONLY: 'false' });
    expect(toolNames(await fn.invoke(LIST_EVENT))).toContain('session_start');
  });

  it('are read again when the store was busy', async () => {
    const store = await storeWith({ [`${PREFIX}/mcp-bearer-token`]: TOKEN });
    store.failures.push({ status: 400, type: 'ThrottlingException' });
    expect((await fromStore(store).invoke(LIST_EVENT)).statusCode).toBe(200);
    expect(store.queries).toHaveLength(2);
  });

  it('fail one call, not the next one, when the store refuses for a while', async () => {
    const store = await storeWith({ [`${PREFIX}/mcp-bearer-token`]: TOKEN });
    const denied = { status: 400, type: 'AccessDeniedException' };
    store.failures.push(denied, denied);
    const fn = fromStore(store);
    // The start began when the file was loaded; the first call finds it under way or begins another.
    const first = await fn.invoke(LIST_EVENT).catch((error: Error) => error);
    const second = first instanceof Error ? await fn.invoke(LIST_EVENT).catch((error: Error) => error) : first;
    const third = second instanceof Error ? await fn.invoke(LIST_EVENT) : second;
    expect(third.statusCode).toBe(200);
    expect(fn.stderr).toContain(`The SSM parameters below ${PREFIX} could not be read: AccessDeniedException`);
    expect(fn.stderr).toContain('ssm:GetParametersByPath');
  });

  it('end the process when they cannot be used, and say what to set', async () => {
    const fn = start({ MCP_AUTH_MODE: '' });
    expect(await fn.ended()).toBe(1);
    expect(fn.stderr).toContain('MCP_AUTH_MODE: is missing');
  });

  it('are never a placeholder', async () => {
    const store = await storeWith({ [`${PREFIX}/mcp-bearer-token`]: 'replace-me' });
    const fn = fromStore(store);
    expect(await fn.ended()).toBe(1);
    expect(fn.stderr).toContain(`--name ${PREFIX}/mcp-bearer-token`);
  });

  it('have one parameter each', async () => {
    const store = await storeWith({ [`${PREFIX}/mcp-read-only`]: 'true', [`${PREFIX}/mcp/read/only`]: 'false' });
    const fn = fromStore(store);
    expect(await fn.ended()).toBe(1);
    expect(fn.stderr).toContain('MCP_READ_ONLY: comes from several SSM parameters');
  });
});

it('the function is as large as its README says', () => {
  const { size } = statSync(built('dist/lambda.js'));
  expectSaidSize('deploy/aws-lambda/README.md', /`dist\/lambda\.js` \(([\d.]+) MB/, size);
});

function recorded(name: string): Record<string, any> {
  return JSON.parse(readFileSync(join(__dirname, 'events', `${name}.json`), 'utf8')) as Record<string, any>;
}

function text(base64: string): string {
  return Buffer.from(base64, 'base64').toString();
}

/** The recorded request with another JSON-RPC call in it. */
function request(era: (typeof ERAS)[number], method: string, params: Record<string, unknown>): Record<string, any> {
  const isModern = era === '2026-07-28';
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': era,
    'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: isModern ? { ...params, _meta } : params });
  const name = typeof params.name === 'string' ? { 'mcp-name': params.name } : {};
  const headers = {
    'mcp-protocol-version': era,
    'content-length': String(Buffer.byteLength(body)),
    ...(isModern && { 'mcp-method': method, ...name }),
  };
  return { ...withHeaders(LIST_EVENT, headers), body: Buffer.from(body).toString('base64') };
}

function call(era: (typeof ERAS)[number], name: string, args: object): Record<string, any> {
  return request(era, 'tools/call', { name, arguments: args });
}

function withHeaders(event: Record<string, any>, headers: Record<string, string | undefined>): Record<string, any> {
  return { ...event, headers: JSON.parse(JSON.stringify({ ...event.headers, ...headers })) };
}

/** The same without a body, for another method and path. */
function at(event: Record<string, any>, method: string, path: string): Record<string, any> {
  const { body: _body, ...rest } = withHeaders(event, { 'content-length': undefined, 'content-type': undefined });
  const { requestContext } = event;
  const http = { ...requestContext.http, method, path };
  return { ...rest, rawPath: path, isBase64Encoded: false, requestContext: { ...requestContext, http } };
}

function toolNames({ body }: FunctionAnswer): string[] {
  return (JSON.parse(body).result.tools as { name: string }[]).map(({ name }) => name);
}

/** A session that has nothing to do, so that waiting for it lasts. */
async function sessionOf(fn: FunctionProcess): Promise<string> {
  const args = { agent_id: FIXTURES.agents.analyst, environment_id: FIXTURES.environments.cloud };
  const answer = await fn.invoke(call('2025-11-25', 'session_start', args));
  return JSON.parse(answer.body).result.structuredContent.session_id as string;
}

/** Takes audit records. */
async function collect(): Promise<{ url: string; records: unknown[] }> {
  const records: unknown[] = [];
  const server = createServer((incoming, response) => {
    let body = '';
    incoming.on('data', (chunk: Buffer) => (body += chunk.toString()));
    incoming.on('end', () => {
      records.push(
        ...body
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line) as unknown),
      );
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  open.push(() => new Promise((resolve) => server.close(() => resolve())));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, records };
}

/** Takes requests and never answers. */
async function silence(): Promise<string> {
  const server = createServer(() => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  open.push(close);
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Stands before an address and knows who is connected. */
async function countConnections(url: string) {
  const { hostname, port } = new URL(url);
  const connected = new Set<Socket>();
  let count = 0;
  let onEmpty: () => void = () => undefined;
  const server = createTcpServer((client) => {
    count += 1;
    connected.add(client);
    const upstream = connect(Number(port), hostname);
    client.pipe(upstream).pipe(client);
    client.on('error', () => upstream.destroy());
    upstream.on('error', () => client.destroy());
    client.on('close', () => {
      connected.delete(client);
      upstream.destroy();
      if (connected.size === 0) onEmpty();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  open.push(() => new Promise((resolve) => server.close(() => resolve())));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    used: () => count,
    allClosed: () => new Promise<void>((resolve) => (connected.size === 0 ? resolve() : (onEmpty = resolve))),
  };
}
