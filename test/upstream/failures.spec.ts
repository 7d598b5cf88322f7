import { createServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import { FIXTURES } from '../simulator/index.js';
import { callTool, connectHttp } from '../support/client.js';
import { type Harness, startHarness } from '../support/harness.js';
import { serverEnv, startServer } from '../support/server.js';
import { auditLines, logLines } from '../support/stderr.js';

const agent_id = FIXTURES.agents.analyst;
const environment_id = FIXTURES.environments.cloud;

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness({ env: { MCP_LOG_LEVEL: 'warn', ANTHROPIC_TIMEOUT_SECONDS: '1' } });
});
afterEach(() => harness.simulator.faults.clear());
afterAll(() => harness.close());

const agents = /^\/v1\/agents$/;

describe('each failure of the API becomes one sentence with the next step', () => {
  it.each([
    [400, {}, /^The Managed Agents API refused the request \(list agents\).*Correct the named argument/],
    [401, {}, /does not accept the credential of this server. Tell the operator to check ANTHROPIC_API_KEY/],
    [402, {}, /billing problem. Tell the operator/],
    [403, {}, /may not do this \(list agents\).*Tell the operator/],
    [404, {}, /^Not found \(list agents\).*check ANTHROPIC_BASE_URL/],
    [409, {}, /reports a conflict.*Read the current state and try again/],
    [413, {}, /too large.*Send less text/],
    [429, { retryAfter: 17 }, /rate or spend limit.*Try again in 17 seconds\./],
    [429, {}, /rate or spend limit.*Try again in a minute\./],
    [500, {}, /failed \(500, list agents\)\. Try again in a minute\./],
    [529, { retryAfter: 1 }, /overloaded\. Try again in 1 second\./],
  ])('%d %j', async (status, more, message) => {
    harness.simulator.faults.add({ path: agents, status, ...more });
    const answer = await callTool(harness.client, 'agent_list');
    expect(answer).toMatchObject({ isError: true, text: expect.stringMatching(message) });
    const [line] = logLines();
    expect(line).toMatchObject({ status, upstream_request_id: expect.stringMatching(/^req_/) });
    const requestId = line!.upstream_request_id;
    expect(auditLines()).toEqual([
      expect.objectContaining({ audit: 'agent_list', outcome: 'failed', upstream_request_id: requestId }),
    ]);
  });

  it('a timeout', async () => {
    harness.simulator.faults.add({ path: agents, delayMs: 3000 });
    const answer = await callTool(harness.client, 'agent_list');
    expect(answer).toMatchObject({
      isError: true,
      text: expect.stringMatching(/did not answer in time \(list agents\)/),
    });
    expect(auditLines()).toEqual([expect.objectContaining({ outcome: 'failed', reason: 'timeout' })]);
  });

  it('an answer that stops half-way', async () => {
    harness.simulator.faults.add({ path: agents, stalls: true });
    const answer = await callTool(harness.client, 'agent_list');
    expect(answer).toMatchObject({
      isError: true,
      text: expect.stringMatching(/did not answer in time \(list agents\)/),
    });
    expect(auditLines()).toEqual([
      expect.objectContaining({ outcome: 'failed', reason: 'timeout', upstream_request_id: expect.any(String) }),
    ]);
  });

  it('a refusal that stops half-way: its status is known', async () => {
    harness.simulator.faults.add({ path: agents, status: 403, stalls: true });
    const answer = await callTool(harness.client, 'agent_list');
    expect(answer.text).toMatch(/may not do this \(list agents\)\. Tell the operator/);
  });

  it('a reset connection, with its cause in the log', async () => {
    harness.simulator.faults.add({ path: agents, reset: 'before' });
    const answer = await callTool(harness.client, 'agent_list');
    expect(answer).toMatchObject({
      isError: true,
      text: expect.stringMatching(/could not be reached \(list agents\)/),
    });
    expect(logLines()).toEqual([
      expect.objectContaining({
        operation: 'list agents',
        kind: 'connection',
        caused_by: expect.stringContaining(' < '),
      }),
    ]);
  });

  it('an answer that is no JSON', async () => {
    harness.simulator.faults.add({ path: agents, invalidJson: true });
    const answer = await callTool(harness.client, 'agent_list');
    expect(answer).toMatchObject({ isError: true, text: expect.stringMatching(/could not be read \(list agents\)/) });
  });

  it("the API's own words are cut, cleaned of control characters and of keys", async () => {
    const message = `bad\u001b[31m \u200bthing sk-ant-api03-secret ${'x'.repeat(2000)}`;
    harness.simulator.faults.add({ path: agents, status: 400, error: { message } });
    const { text } = await callTool(harness.client, 'agent_list');
    expect(text.length).toBeLessThan(700);
    expect(text).not.toMatch(/[\p{Cc}\p{Cf}]|api03-secret/u);
  });

  it('the server lives on after all of them', async () => {
    expect((await callTool(harness.client, 'agent_list')).isError).toBe(false);
  });
});

describe('attempts', () => {
  const posts = (path: RegExp) =>
    harness.simulator.requests.filter((each) => each.method === 'POST' && path.test(each.path));
  const sessions = /^\/v1\/sessions$/;
  const events = /^\/v1\/sessions\/[^/]+\/events$/;

  async function withRetries<T>(
    work: (call: (name: string, args?: object) => ReturnType<typeof callTool>) => Promise<T>,
  ): Promise<T> {
    const server = await startServer(
      serverEnv(harness.simulator.url, { ANTHROPIC_MAX_RETRIES: '2', ANTHROPIC_TIMEOUT_SECONDS: '1' }),
    );
    const client = await connectHttp(server.url);
    try {
      return await work((name, args) => callTool(client, name, { ...args }));
    } finally {
      await client.close();
      await server.close();
    }
  }

  it('reads are tried again', async () => {
    await withRetries(async (call) => {
      harness.simulator.faults.add({ path: agents, status: 529, headers: { 'retry-after-ms': '1' } });
      expect((await call('agent_list')).isError).toBe(false);
    });
  });

  it('reads whose answer stops half-way are tried again', async () => {
    await withRetries(async (call) => {
      harness.simulator.faults.add({ path: agents, stalls: true });
      expect((await call('agent_list')).isError).toBe(false);
    });
  });

  it.each([
    ['the answer is lost', { reset: 'after' as const }, /may or may not have taken effect/],
    ['the answer does not come in time', { delayMs: 3000 }, /may or may not have taken effect/],
    ['the answer stops half-way', { stalls: true }, /may or may not have taken effect/],
    ['the answer is unreadable', { invalidJson: true }, /may or may not have taken effect/],
    ['the API fails', { status: 500 }, /failed \(500/],
    ['the API is overloaded', { status: 529 }, /overloaded/],
    ['the API times out', { status: 504 }, /failed \(504/],
    ['there is a conflict', { status: 409 }, /conflict/],
  ])('a start and a message are sent once when %s', async (_what, fault, message) => {
    await withRetries(async (call) => {
      harness.simulator.faults.add({ path: sessions, ...fault });
      const before = posts(sessions).length;
      const start = await call('session_start', { agent_id, environment_id, message: 'Once' });
      expect(start).toMatchObject({ isError: true, text: expect.stringMatching(message) });
      expect(posts(sessions)).toHaveLength(before + 1);

      const { data } = await call('session_start', { agent_id, environment_id });
      harness.simulator.faults.add({ method: 'POST', path: events, ...fault });
      const sent = await call('session_message', { session_id: data.session_id, text: 'Once' });
      expect(sent).toMatchObject({ isError: true, text: expect.stringMatching(message) });
      const path = `/v1/sessions/${data.session_id}/events`;
      expect(posts(events).filter((request) => request.path === path)).toHaveLength(1);
    });
  });

  it('a message that was certainly refused for now (429) is sent again', async () => {
    await withRetries(async (call) => {
      const { data } = await call('session_start', { agent_id, environment_id });
      harness.simulator.faults.add({ method: 'POST', path: events, status: 429, headers: { 'retry-after-ms': '1' } });
      const sent = await call('session_message', { session_id: data.session_id, text: 'Twice, accepted once' });
      expect(sent.isError).toBe(false);
      await harness.simulator.settle(data.session_id as string);
      const log = await call('session_events', { session_id: data.session_id, types: ['user.message'] });
      expect(log.data.count).toBe(1);
    });
  });

  it.each([
    ['retry-after', { retryAfter: 60 }, 'Try again in 60 seconds.'],
    ['retry-after as a date', { headers: { 'retry-after': 'Fri, 31 Dec 9999 23:59:59 GMT' } }, 'Try again in'],
    ['retry-after-ms', { headers: { 'retry-after-ms': '60000' } }, 'Try again in 60 seconds.'],
    ['retry-after-ms over retry-after', { retryAfter: 1, headers: { 'retry-after-ms': '8000' } }, 'in 8 seconds.'],
  ])('a pause longer than a tool call should last is told, not waited out: %s', async (_, told, message) => {
    await withRetries(async (call) => {
      harness.simulator.faults.add({ path: agents, status: 429, times: Infinity, ...told });
      const before = harness.simulator.requests.length;
      expect((await call('agent_list')).text).toContain(message);
      expect(harness.simulator.requests).toHaveLength(before + 1);
    });
  });

  it('tells to look first after a start whose answer was lost, and the session is there once', async () => {
    harness.simulator.faults.add({ path: sessions, reset: 'after' });
    const start = await callTool(harness.client, 'session_start', { agent_id, environment_id, title: 'lost answer' });
    expect(start.text).toContain('Call session_list before you start it again');
    const listed = await callTool(harness.client, 'session_list', { agent_id, limit: 100 });
    const titles = (listed.data.sessions as { title: string | null }[]).map(({ title }) => title);
    expect(titles.filter((title) => title === 'lost answer')).toHaveLength(1);
  });
});

describe('an API that is not there', () => {
  let silent: Server;
  const sockets: Socket[] = [];
  beforeAll(async () => {
    silent = createServer((socket) => sockets.push(socket)).listen(0, '127.0.0.1');
    await once(silent, 'listening');
  });
  afterAll(() => {
    sockets.forEach((socket) => socket.destroy());
    silent.close();
  });

  const ask = async (upstream: string) => {
    const server = await startServer(serverEnv(upstream, { ANTHROPIC_TIMEOUT_SECONDS: '1' }));
    const client = await connectHttp(server.url);
    const answer = await callTool(client, 'session_start', { agent_id, environment_id, message: 'hello' });
    await client.close();
    await server.close();
    return answer.text;
  };

  it('refuses connections: nothing was sent', async () => {
    const closed = createServer().listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const { port } = closed.address() as { port: number };
    closed.close();
    expect(await ask(`http://127.0.0.1:${port}`)).toMatch(/could not be reached \(create session\)/);
  });

  it('accepts connections and says nothing: uncertain', async () => {
    expect(await ask(`http://127.0.0.1:${(silent.address() as { port: number }).port}`)).toMatch(
      /may or may not have taken effect/,
    );
  });
});
