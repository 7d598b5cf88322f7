import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import { type AddressInfo } from 'node:net';
import { type Client } from '@modelcontextprotocol/client';
import { callTool, connectHttp } from '../support/client.js';
import { serverEnv, startServer, type TestServer } from '../support/server.js';
import { auditLines, logLines } from '../support/stderr.js';

let respond: (request: IncomingMessage, response: ServerResponse) => void;
let upstream: Server;
let url: string;
let server: TestServer;
let client: Client;

beforeAll(async () => {
  upstream = createServer((request, response) => {
    request.resume().on('end', () => respond(request, response));
  }).listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  url = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
  server = await startServer(serverEnv(url, { MCP_LOG_LEVEL: 'warn' }));
  client = await connectHttp(server.url);
});
afterAll(async () => {
  await client.close();
  await server.close();
  upstream.closeAllConnections();
  upstream.close();
});

const json = (status: number, body: unknown, headers = {}) => {
  respond = (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
  };
};

const session_id = 'sesn_1';
const CALLS: [string, object][] = [
  ['agent_list', {}],
  ['agent_get', { agent_id: 'agent_1' }],
  ['session_list', {}],
  ['session_get', { session_id }],
  ['session_events', { session_id }],
  ['session_wait', { session_id, timeout_seconds: 20 }],
  ['approval_list', {}],
  ['session_respond', { session_id, tool_use_id: 'sevt_1', result: 'allow' }],
];

describe('a page of a proxy with status 200', () => {
  beforeEach(() => {
    respond = (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/html' }).end('<html>Sign in to the company proxy</html>');
    };
  });

  it.each(CALLS)('%s fails, and names what to check', async (tool, args) => {
    const answer = await callTool(client, tool, { ...args });
    expect(answer).toMatchObject({
      isError: true,
      text: expect.stringMatching(
        /something that is not the Managed Agents API \([a-z ]+; status 200, text\/html\).*ANTHROPIC_BASE_URL.*sign-in/,
      ),
    });
    expect(auditLines()).toEqual([expect.objectContaining({ audit: tool, outcome: 'failed', reason: 'not_the_api' })]);
    expect(logLines()).toContainEqual(
      expect.objectContaining({ kind: 'not_the_api', status: 200, content_type: 'text/html' }),
    );
  });

  it.each<[string, object, RegExp]>([
    ['session_start', { agent_id: 'agent_1', environment_id: 'env_1' }, /Call session_list before you start it again/],
    ['session_message', { session_id, text: 'hello' }, /not the Managed Agents API/],
  ])('%s does not claim success', async (tool, args, message) => {
    const answer = await callTool(client, tool, { ...args });
    expect(answer).toMatchObject({ isError: true, text: expect.stringMatching(message) });
  });
});

it('a redirect is named, not followed', async () => {
  json(302, {}, { location: 'https://login.example/?secret=1' });
  const answer = await callTool(client, 'agent_list');
  expect(answer).toMatchObject({
    isError: true,
    text: expect.stringMatching(/answered with a redirect \(list agents; status 302\), which is not followed/),
  });
  expect(answer.text).not.toContain('secret');
  expect(logLines()).toContainEqual(
    expect.objectContaining({
      kind: 'redirect',
      caused_by: expect.stringContaining('redirected to https://login.example'),
    }),
  );
});

/** A session as the API returns it. */
const sessionObject = (id: string) => ({
  id,
  type: 'session',
  status: 'idle',
  title: 'good',
  agent: { type: 'agent', id: 'agent_1', name: 'A', version: 1, model: { id: 'model' } },
  environment_id: 'env_1',
  metadata: {},
  created_at: '2026-11-27T10:00:00.000000Z',
  updated_at: '2026-11-27T10:00:00.000000Z',
});

describe('one item of a list that cannot be read', () => {
  const good = sessionObject('sesn_good');
  const list = (odd: unknown) => {
    respond = (request, response) => {
      const data = request.url!.startsWith('/v1/sessions?') ? [good, odd] : [];
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ data, next_page: null }));
    };
  };

  it.each<[string, unknown]>([
    ['an id with a dot', { ...good, id: 'sesn.odd' }],
    ['an id that is no text', { ...good, id: 17 }],
    ['no time of creation', { ...good, created_at: null }],
    ['a time that is none', { ...good, created_at: 'yesterday' }],
    ['no agent', { ...good, agent: null }],
    ['no status', { ...good, status: undefined }],
    ['no object', null],
    ['a list', []],
  ])('%s: it is left out and counted, the others are listed', async (_what, odd) => {
    list(odd);
    const listed = await callTool(client, 'session_list');
    expect(listed.data).toMatchObject({ sessions: [{ id: 'sesn_good' }], count: 1, unreadable: 1 });
    expect(logLines()).toContainEqual(
      expect.objectContaining({
        msg: 'items of a list could not be read',
        operation: 'list sessions',
        unreadable: 1,
      }),
    );
    const approvals = await callTool(client, 'approval_list');
    expect(approvals.data).toMatchObject({ approvals: [], sessions_examined: 1, unreadable: 1, complete: false });
  });

  it('a list without odd items does not mention any', async () => {
    list({ ...good, id: 'sesn_other' });
    expect((await callTool(client, 'session_list')).data).not.toHaveProperty('unreadable');
    expect((await callTool(client, 'approval_list')).data).toMatchObject({ complete: true });
  });
});

describe('one entry of an event log that cannot be read', () => {
  const at = (second: number) => `2026-11-27T10:00:0${second}.000000Z`;
  const session = { ...sessionObject(session_id), outcome_evaluations: [] };
  const log = (odd: readonly unknown[]) => {
    const events = [
      { id: 'sevt_1', type: 'user.message', processed_at: at(1), content: [{ type: 'text', text: 'go' }] },
      { id: 'sevt_2', type: 'session.status_running', processed_at: at(2) },
      ...odd,
      { id: 'sevt_3', type: 'session.status_idle', processed_at: at(3), stop_reason: { type: 'end_turn' } },
    ];
    respond = ({ url }, response) => {
      const { pathname, searchParams } = new URL(url!, 'http://upstream');
      const sorted = searchParams.get('order') === 'desc' ? events.toReversed() : events;
      const list = pathname.endsWith('/events') ? sorted : [session];
      const body = pathname.endsWith(session_id) ? session : { data: list, next_page: null };
      if (pathname.endsWith('/stream')) response.writeHead(200, { 'content-type': 'text/event-stream' }).write(':\n\n');
      else response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
  };
  const READS: [string, object, object][] = [
    ['session_events', { session_id }, { count: 3 }],
    ['session_wait', { session_id, timeout_seconds: 20 }, { reason: 'turn_over' }],
    ['session_get', { session_id }, { turn: 'over' }],
    ['approval_list', {}, { approvals: [], complete: false }],
  ];

  it.each(READS)('%s counts it, and returns the rest', async (tool, args, rest) => {
    log([{ id: 'sevt_odd', type: 7, processed_at: at(2) }, 'no event']);
    // The second time, what was read before is known.
    for (const _time of [1, 2]) {
      const { data } = await callTool(client, tool, { ...args });
      expect(data).toMatchObject({ ...rest, unreadable: 2 });
    }
  });

  it.each(READS)('%s of a log without any does not mention it', async (tool, args, rest) => {
    // A new server: waits remember what they read of a log.
    const fresh = await startServer(serverEnv(url));
    const caller = await connectHttp(fresh.url);
    log([]);
    const { data } = await callTool(caller, tool, { ...args });
    await caller.close();
    await fresh.close();
    expect(data).toMatchObject({ ...rest, ...('complete' in rest && { complete: true }) });
    expect(data).not.toHaveProperty('unreadable');
  });
});

describe('one item that cannot be read of a list that is filtered for the caller', () => {
  const item = (id: string, more: object = {}) => ({ id, type: 'thing', name: id, metadata: {}, ...more });
  const odd = { ...item('odd'), id: 17 };
  const ownSession = (id: string) =>
    item(id, { status: 'idle', created_at: '2026-11-27T10:00:00.000000Z', agent: item('agent_1', { version: 1 }) });

  it.each<[string, Record<string, string>, (id: string) => object]>([
    ['agent_list', { MCP_ALLOWED_AGENT_IDS: 'agent_1', MCP_ALLOWLIST_AGENTS_ACTIVE: 'true' }, item],
    ['environment_list', { MCP_ALLOWED_ENVIRONMENT_IDS: 'agent_1' }, item],
    ['vault_list', { MCP_ALLOWED_VAULT_IDS: 'agent_1' }, item],
    ['memory_store_list', { MCP_ALLOWED_MEMORY_STORE_IDS: 'agent_1' }, item],
    ['session_list', { MCP_ALLOWED_AGENT_IDS: 'agent_1', MCP_ALLOWLIST_AGENTS_ACTIVE: 'true' }, ownSession],
  ])('%s counts it over all pages that were read', async (tool, env, good) => {
    const filtering = await startServer(serverEnv(url, env));
    const caller = await connectHttp(filtering.url);
    respond = (request, response) => {
      const isFirst = !request.url!.includes('page=');
      const body = { data: [good(isFirst ? 'agent_1' : 'agent_2'), odd], next_page: isFirst ? 'page_2' : null };
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    const { data } = await callTool(caller, tool, { limit: 5 });
    await caller.close();
    await filtering.close();
    expect(data).toMatchObject({ unreadable: 2, has_more: false });
    expect(data).toMatchObject({ count: tool === 'session_list' ? 2 : 1 });
  });
});

describe('error texts lead to the cause', () => {
  const apiError = (type: string, message: string) => ({ type: 'error', error: { type, message } });
  const notFound = apiError('not_found_error', 'Not found');

  const ALL_AGENTS = ['agent_list', {}] as const;
  const ONE_SESSION = ['session_get', { session_id }] as const;
  const noBeta = apiError(
    'invalid_request_error',
    'this API is in beta: add `managed-agents-2026-04-01` to the `anthropic-beta` header',
  );

  it.each<[string, { status: number; body: unknown }, readonly [string, object], RegExp]>([
    ['a list that is not there', { status: 404, body: notFound }, ALL_AGENTS, /no id is wrong.*ANTHROPIC_BASE_URL/],
    ['an unknown path', { status: 404, body: { detail: 'Not Found' } }, ONE_SESSION, /BASE_URL: without \/v1/],
    ['an unknown id', { status: 404, body: notFound }, ONE_SESSION, /Check the id with session_list/],
    ['a missing beta header', { status: 400, body: noBeta }, ALL_AGENTS, /MANAGED_AGENTS_BETA/],
    [
      'a refused key',
      { status: 401, body: apiError('authentication_error', 'invalid') },
      ALL_AGENTS,
      /ANTHROPIC_API_KEY_HEADER/,
    ],
  ])('%s', async (_what, { status, body }, [tool, args], message) => {
    json(status, body);
    const answer = await callTool(client, tool, { ...args });
    expect(answer).toMatchObject({ isError: true, text: expect.stringMatching(message) });
  });

  it.each([
    ['99999999999', 'Try again in 3600 seconds.'],
    ['Infinity', 'Try again in a minute.'],
    ['-5', 'Try again in a minute.'],
    ['0', 'Try again in a minute.'],
    ['soon', 'Try again in a minute.'],
    ['1e400', 'Try again in a minute.'],
    ['Thu, 01 Jan 1970 00:00:00 GMT', 'Try again in a minute.'],
  ])('retry-after: %s', async (value, message) => {
    json(429, apiError('rate_limit_error', 'slow down'), { 'retry-after': value });
    expect((await callTool(client, 'agent_list')).text).toContain(message);
  });
});
