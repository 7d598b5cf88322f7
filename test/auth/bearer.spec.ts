import { type Harness, startHarness } from '../support/harness.js';
import { call, send } from '../support/rpc.js';
import { serverEnv, startServer, TOKEN } from '../support/server.js';
import { auditLines, stderrText } from '../support/stderr.js';

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness({ env: { MCP_LOG_LEVEL: 'warn' } });
});
afterAll(() => harness.close());

const list = call('tools/list');
const ask = (authorization: string | undefined, path = '/mcp') =>
  send(harness.server.url, { path, body: list, headers: { authorization } });

it.each([`Bearer ${TOKEN}`, `bearer ${TOKEN}`, `BEARER   ${TOKEN}`])('serves %j', async (authorization) => {
  expect(await ask(authorization)).toMatchObject({ status: 200, json: { result: { tools: expect.any(Array) } } });
});

it('asks a caller without credentials to authenticate', async () => {
  const answer = await ask(undefined);
  expect(answer).toMatchObject({ status: 401, json: { jsonrpc: '2.0', id: null, error: { code: -32000 } } });
  expect(answer.headers['www-authenticate']).toBe('Bearer realm="managed-agent-control"');
});

it.each([
  'Bearer',
  'Bearer ',
  'Bearer wrong',
  `Bearer ${TOKEN}x`,
  `Bearer ${TOKEN.slice(0, -1)}`,
  `Bearer ${TOKEN} extra`,
  `Basic ${Buffer.from(`user:${TOKEN}`).toString('base64')}`,
  TOKEN,
  `Token ${TOKEN}`,
  'Bearer null',
  `Bearer ${'x'.repeat(10_000)}`,
])('refuses %.40j and says only that the token is invalid', async (authorization) => {
  const answer = await ask(authorization);
  expect(answer).toMatchObject({ status: 401, json: { jsonrpc: '2.0' } });
  expect(answer.headers['www-authenticate']).toBe('Bearer realm="managed-agent-control", error="invalid_token"');
  expect(answer.text).not.toMatch(/unknown|wrong|expected|match/i);
});

it.each(['?token=', '?access_token=', '?authorization=Bearer%20'])(
  'takes no token from the query (%s)',
  async (query) => {
    expect(await ask(undefined, `/mcp${query}${TOKEN}`)).toMatchObject({ status: 401 });
  },
);

it.each(['GET', 'DELETE'])('%s needs authentication, too', async (method) => {
  const headers = { authorization: undefined, 'content-type': undefined };
  expect(await send(harness.server.url, { method, headers })).toMatchObject({ status: 401 });
});

it('keeps the reason in the log and the token out of it', async () => {
  await ask('Bearer a-wrong-token-of-somebody');
  expect(stderrText()).toContain('unknown bearer token');
  expect(stderrText()).not.toContain('a-wrong-token-of-somebody');
});

it('never sends the inbound token upstream', async () => {
  await send(harness.server.url, { body: call('tools/call', { name: 'agent_list', arguments: {} }) });
  expect(harness.simulator.requests.at(-1)!.headers.authorization).toBe('Bearer sk-ant-test-canary');
  expect(JSON.stringify(harness.simulator.requests)).not.toContain(TOKEN);
});

describe('without authentication', () => {
  it('does not start', async () => {
    const env = { ...serverEnv('http://127.0.0.1:1'), MCP_AUTH_MODE: '' };
    await expect(startServer(env)).rejects.toThrow(/MCP_AUTH_MODE: is missing.*MCP_ALLOW_INSECURE_NO_AUTH=true/);
  });

  it('starts when that is asked for in so many words, and says so loudly', async () => {
    const env = {
      ...serverEnv(harness.simulator.url, { MCP_LOG_LEVEL: 'warn' }),
      MCP_AUTH_MODE: '',
      MCP_ALLOW_INSECURE_NO_AUTH: 'true',
    };
    const server = await startServer(env);
    const body = call('tools/call', { name: 'vault_list', arguments: {} });
    expect(await send(server.url, { body, headers: { authorization: undefined } })).toMatchObject({ status: 200 });
    await server.close();
    expect(stderrText()).toContain('NO AUTHENTICATION');
    expect(auditLines()).toEqual([expect.objectContaining({ principal: 'anonymous', issuer: 'none' })]);
  });
});
