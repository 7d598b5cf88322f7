/** What probes see, on whichever port they ask. */
import { RedisConnection } from '../../src/guardrails/limits/redis-connection.js';
import { Simulator } from '../simulator/index.js';
import { eventually } from '../support/eventually.js';
import { oidcEnv, TestIssuer } from '../support/issuer.js';
import { REDIS_PASSWORD, REDIS_SKIPPED, redisFound, RedisServer } from '../support/redis.js';
import { call, type RawAnswer, send } from '../support/rpc.js';
import { serverEnv, startServer, type TestServer, TOKEN } from '../support/server.js';
import { startServerProcess } from '../support/server-process.js';

const toClose: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of toClose.splice(0).reverse()) await close();
});

/** Of an API that nobody answers for: health has nothing to do with it. */
const NO_API = 'http://127.0.0.1:9';

async function serverWith(env: Record<string, string> = {}): Promise<TestServer> {
  const server = await startServer(serverEnv(NO_API, env));
  toClose.push(() => server.close());
  return server;
}

/** As a kubelet asks: without a token, and with the address of the pod as host. */
const probe = (url: string, path: string, headers: Record<string, string> = {}, method = 'GET') =>
  send(url, {
    method,
    path,
    headers: { authorization: undefined, 'content-type': undefined, host: '10.1.2.3', ...headers },
  });

function untilReady(url: string, status: number): Promise<RawAnswer> {
  return eventually(
    `/readyz answers ${status}`,
    () => probe(url, '/readyz'),
    (answer) => answer.status === status,
  );
}

const READY = { status: 'ready', checks: { accepting_calls: 'ok' } };

it.each(['10.1.2.3:8000', 'evil.example.com', 'localhost', '[fe80::1]'])(
  'answers whatever the host (%s)',
  async (host) => {
    const { url } = await serverWith();
    expect(await probe(url, '/healthz', { host })).toMatchObject({ status: 200, json: { status: 'alive' } });
    expect(await probe(url, '/readyz', { host })).toMatchObject({ status: 200, json: READY });
    // The guard of MCP itself is as strict as ever.
    expect(await send(url, { body: call('tools/list'), headers: { host } })).toMatchObject({
      status: host === 'localhost' ? 200 : 403,
    });
  },
);

it('answers GET and HEAD at exactly these addresses', async () => {
  const { url } = await serverWith();
  for (const path of ['/healthz', '/readyz']) {
    expect(await probe(url, path, {}, 'HEAD')).toMatchObject({ status: 200, text: '' });
    expect(await probe(url, `${path}?verbose`)).toMatchObject({
      status: 200,
      headers: { 'cache-control': 'no-store' },
    });
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
      expect(await probe(url, path, {}, method)).toMatchObject({ status: 404 });
    }
    for (const other of [
      `${path}/`,
      `${path}/x`,
      path.toUpperCase(),
      `/${path}`,
      `${path}%2f..%2fmcp`,
      `/mcp${path}`,
    ]) {
      expect(await probe(url, other)).toMatchObject({ status: 404 });
    }
  }
  expect(await probe(url, '/metrics')).toMatchObject({ status: 404 });
});

it('does not let anyone past the door of MCP', async () => {
  const { url } = await serverWith();
  for (const path of ['/mcp', '/mcp/readonly', '/healthz/../mcp']) {
    expect(await send(url, { path, body: call('tools/list'), headers: { authorization: undefined } })).toMatchObject({
      status: 401,
    });
  }
});

describe('the identity provider', () => {
  let issuer: TestIssuer;
  beforeEach(async () => {
    issuer = await TestIssuer.start();
    toClose.push(() => issuer.close());
  });

  it('down at the start: not ready until its keys are known, without any caller', async () => {
    issuer.status = 503;
    const { url } = await serverWith(oidcEnv(issuer.url));
    expect(await untilReady(url, 503)).toMatchObject({
      json: { status: 'not_ready', checks: { accepting_calls: 'ok', identity_provider_keys: 'failing' } },
    });
    expect(await probe(url, '/healthz')).toMatchObject({ status: 200 });
    issuer.status = undefined;
    expect((await untilReady(url, 200)).json).toEqual({
      status: 'ready',
      checks: { accepting_calls: 'ok', identity_provider_keys: 'ok' },
    });
  });

  it('down later: the replica stays ready, and probes ask the provider nothing', async () => {
    const { url } = await serverWith(oidcEnv(issuer.url));
    await untilReady(url, 200);
    issuer.status = 503;
    const before = issuer.requests.length;
    const answers = await Promise.all(Array.from({ length: 50 }, () => probe(url, '/readyz')));
    expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
    expect(issuer.requests).toHaveLength(before);
  });

  it('of several, each has to be known', async () => {
    const second = await TestIssuer.start();
    toClose.push(() => second.close());
    second.status = 500;
    const { url } = await serverWith(oidcEnv(`${issuer.url},${second.url}`));
    await untilReady(url, 503);
    second.status = undefined;
    await untilReady(url, 200);
  });
});

(redisFound ? describe : describe.skip)(`Redis${redisFound ? '' : ` (${REDIS_SKIPPED})`}`, () => {
  let redis: RedisServer;
  beforeEach(async () => {
    redis = await RedisServer.start();
    toClose.push(() => redis.stop());
  });
  const withRedis = () => serverWith({ MCP_REDIS_URL: redis.url, MCP_RATE_LIMIT_PER_MINUTE: '100' });

  it('away, and back', async () => {
    const { url } = await withRedis();
    expect((await untilReady(url, 200)).json).toEqual({
      status: 'ready',
      checks: { accepting_calls: 'ok', redis: 'ok' },
    });
    await redis.stop();
    const { text, json } = await untilReady(url, 503);
    expect(json).toEqual({ status: 'not_ready', checks: { accepting_calls: 'ok', redis: 'failing' } });
    expect(text).not.toContain(REDIS_PASSWORD);
    expect(await probe(url, '/healthz')).toMatchObject({ status: 200 });
    await redis.start();
    await untilReady(url, 200);
  });

  it('that answers nothing any more is away as well', async () => {
    const { url } = await withRedis();
    await untilReady(url, 200);
    redis.freeze();
    await untilReady(url, 503);
  });

  it('is asked once, however many ask', async () => {
    const { app, url } = await withRedis();
    const { client } = app.get(RedisConnection, { strict: false });
    const asked = jest.spyOn(client, 'eval');
    const startedAt = performance.now();
    await Promise.all(Array.from({ length: 100 }, () => probe(url, '/readyz')));
    // Two writes each time, and at most one time a second, of which the first and the last may be incomplete.
    const seconds = Math.ceil((performance.now() - startedAt) / 1000);
    expect(asked.mock.calls.length).toBeLessThanOrEqual(2 * (seconds + 1));
  });
});

it('nothing of the configuration is in the answers', async () => {
  const issuer = await TestIssuer.start();
  toClose.push(() => issuer.close());
  const { url } = await serverWith(oidcEnv(issuer.url, { MCP_AUTH_MODE: 'bearer,oidc', MCP_BEARER_TOKEN: TOKEN }));
  for (const path of ['/healthz', '/readyz']) {
    const { text, headers } = await probe(url, path);
    const all = text + JSON.stringify(headers);
    for (const secret of [TOKEN, 'sk-ant-test-canary', issuer.url, NO_API]) expect(all).not.toContain(secret);
  }
});

it('with a port of their own, probes are answered there and nowhere else', async () => {
  const simulator = await Simulator.start({ fixtures: true });
  toClose.push(() => simulator.close());
  const server = await startServerProcess(serverEnv(simulator.url, { MCP_MANAGEMENT_PORT: '0' }));
  toClose.push(() => server.stop());
  const management = server.managementUrl!;
  expect(await probe(management, '/healthz')).toMatchObject({ status: 200, json: { status: 'alive' } });
  expect(await probe(management, '/readyz')).toMatchObject({ status: 200, json: READY });
  expect(await send(management, { body: call('tools/list') })).toMatchObject({ status: 404 });
  for (const path of ['/healthz', '/readyz']) {
    expect(await probe(server.url, path)).toMatchObject({ status: 404 });
  }
  expect(await send(server.url, { body: call('tools/list') })).toMatchObject({ status: 200 });
  expect(await server.stop()).toBe(0);
});
