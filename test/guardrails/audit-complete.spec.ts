import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FIXTURES } from '../simulator/index.js';
import { callTool, connectHttp, connectStdio, ERAS } from '../support/client.js';
import { type Harness, startHarness } from '../support/harness.js';
import { CLOSED_PORT } from '../support/ports.js';
import { REDIS_PASSWORD } from '../support/redis.js';
import { call as rpc, send } from '../support/rpc.js';
import { serverEnv, TOKEN } from '../support/server.js';
import { auditLines, stderrText } from '../support/stderr.js';

const START = { agent_id: FIXTURES.agents.analyst, environment_id: FIXTURES.environments.cloud };
const DOCUMENTED = new Set(
  readFileSync(join(__dirname, '..', '..', 'docs', 'audit.md'), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .flatMap((line) => [...line.split('|')[1]!.matchAll(/`(\w+)`/g)].map((match) => match[1]!)),
);

let harness: Harness;
afterEach(() => harness.close());
const call = (name: string, args: Record<string, unknown> = {}) => callTool(harness.client, name, args);

describe('one record for every call', () => {
  it('of every kind: reads, changes, refusals, bad arguments, unknown tools, failures', async () => {
    harness = await startHarness({ env: { MCP_ALLOW_DESTRUCTIVE: 'false', MCP_MAX_BUDGET_USD: '1' } });
    const session_id = (await call('session_start', { ...START, message: 'go' })).data.session_id as string;
    const tools = (await harness.client.listTools()).tools.map(({ name }) => name);
    for (const name of tools) await call(name, { session_id, ...START, text: 'x', result: 'allow' });
    await call('session_delete', { session_id });
    await call('session_start', { ...START, budget_usd: 2 });
    await expect(harness.client.callTool({ name: 'no_such_tool', arguments: {} })).rejects.toThrow(/Unknown tool/);
    harness.simulator.faults.add({ path: /agents/, status: 500 });
    await call('agent_list');
    const lines = auditLines();
    expect(lines).toHaveLength(1 + tools.length + 4);
    expect(lines.slice(-4).map(({ outcome, decision, rule }) => [outcome, decision, rule])).toEqual([
      ['refused', 'refused', 'destructive'],
      ['refused', 'refused', 'budget_ceiling'],
      ['unknown_tool', undefined, undefined],
      ['failed', 'allowed', undefined],
    ]);
    expect(new Set(lines.map(({ id }) => id)).size).toBe(lines.length);
    for (const line of lines) {
      expect(Object.keys(line).filter((field) => !DOCUMENTED.has(field))).toEqual([]);
      expect(line).toMatchObject({ schema: 1, principal: 'static-bearer', issuer: 'bearer' });
    }
  });
});

describe('the client', () => {
  it.each(ERAS)('over stdio (%s) is known by name and protocol', async (version, mode) => {
    harness = await startHarness();
    const { client, stderr } = await connectStdio(serverEnv(harness.simulator.url), mode);
    await callTool(client, 'agent_list').finally(() => client.close());
    expect(auditLines(stderr())[0]).toMatchObject({ client: 'test', client_version: '1', protocol_version: version });
  });

  it('over HTTP of the 2025 era is known by what the request carries', async () => {
    harness = await startHarness();
    const client = await connectHttp(harness.server.url, 'legacy');
    await callTool(client, 'agent_list').finally(() => client.close());
    expect(auditLines()[0]).toMatchObject({ protocol_version: '2025-11-25', user_agent: expect.any(String) });
    expect(auditLines()[0]).not.toHaveProperty('client');
  });

  it('cannot write anything but plain, short text into the record', async () => {
    harness = await startHarness();
    const headers = { 'user-agent': `evil\u009b31m\u00ad${'x'.repeat(500)}`, 'mcp-protocol-version': '2025-11-25' };
    await send(harness.server.url, { headers, body: rpc('tools/call', { name: 'agent_list', arguments: {} }) });
    expect(auditLines()[0]!.user_agent).toMatch(/^evil[^\p{Cc}\p{Cf}]{110,116}$/u);
  });
});

it('canaries planted in every secret show nowhere: results, errors, logs, file, collector body', async () => {
  const KEY = 'sk-ant-test-canary';
  const VAULT = 'vault-secret-canary';
  const AUDIT = 'audit-token-canary';
  const folder = mkdtempSync(join(tmpdir(), 'audit-'));
  const file = join(folder, 'audit.log');
  let collected = '';
  const collector = createServer((request, response) => {
    request.on('data', (chunk: Buffer) => (collected += chunk.toString()));
    request.on('end', () => response.end());
  });
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
  harness = await startHarness({
    env: {
      MCP_LOG_LEVEL: 'trace',
      MCP_REDIS_URL: `redis://:${REDIS_PASSWORD}@127.0.0.1:${CLOSED_PORT}`,
      MCP_MAX_STARTS_PER_HOUR: '5',
      MCP_RATE_LIMIT_ON_STORE_FAILURE: 'open',
      MCP_AUDIT_FILE: file,
      MCP_AUDIT_URL: `http://127.0.0.1:${(collector.address() as AddressInfo).port}/`,
      MCP_AUDIT_TOKEN: AUDIT,
    },
  });
  const { faults } = harness.simulator;
  const answers = [await call('session_start', { ...START, message: VAULT })];
  for (const status of [400, 401, 403, 404, 409, 429, 500, 529]) {
    faults.add({
      path: /vaults/,
      status,
      error: { message: `key ${KEY} is wrong`, type: status > 400 ? VAULT : undefined },
    });
    answers.push(await call('vault_list'));
  }
  answers.push(await call('session_get', { session_id: `${VAULT} ${AUDIT}` }));
  answers.push(await call('session_start', { ...START, budget_usd: VAULT }));
  const url = harness.server.url;
  const wrong = await send(url, { headers: { authorization: `Bearer ${VAULT}` }, body: rpc('tools/list') });
  await harness.server.close();
  collector.close();
  const written = { answers: JSON.stringify(answers), wrong: wrong.text, file: readFileSync(file, 'utf8'), collected };
  rmSync(folder, { recursive: true });
  for (const text of [...Object.values(written), stderrText()]) {
    expect(text).not.toBe('');
    for (const canary of [KEY, TOKEN, REDIS_PASSWORD, AUDIT, VAULT]) expect(text).not.toContain(canary);
  }
});
