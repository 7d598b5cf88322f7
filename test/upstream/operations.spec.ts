import { createServer, type RequestListener, type Server } from 'node:http';
import { once } from 'node:events';
import { type AddressInfo } from 'node:net';
import { AnthropicSettings } from '../../src/config/anthropic.settings.js';
import { type ApiClient, createApiClient } from '../../src/managed-agents/api-client.js';
import { ApiError } from '../../src/managed-agents/api-error.js';
import { CatalogService } from '../../src/managed-agents/catalog.service.js';
import { EventLogService } from '../../src/managed-agents/event-log.service.js';
import { type Operation, OPERATION_IDS, type OperationId, operationOf } from '../../src/managed-agents/operations.js';
import { SessionsService } from '../../src/managed-agents/sessions.service.js';
import { SessionStats } from '../../src/managed-agents/session-stats.js';

interface Services {
  readonly catalog: CatalogService;
  readonly sessions: SessionsService;
  readonly log: EventLogService;
}

/** How each operation of the table is called. A row without an entry does not compile. */
const DRIVERS: Readonly<Record<OperationId, (services: Services) => Promise<unknown>>> = {
  'agents.list': ({ catalog }) => catalog.agents({}),
  'agents.get': ({ catalog }) => catalog.agent('agent_1', 2),
  'environments.list': ({ catalog }) => catalog.environments({}),
  'environments.get': ({ catalog }) => catalog.environment('env_1'),
  'vaults.list': ({ catalog }) => catalog.vaults({}),
  'vaults.get': ({ catalog }) => catalog.vault('vlt_1'),
  'memory_stores.list': ({ catalog }) => catalog.memoryStores({}),
  'memory_stores.get': ({ catalog }) => catalog.memoryStore('memstore_1'),
  'sessions.list': ({ sessions }) => sessions.list({}),
  'sessions.get': ({ sessions }) => sessions.get('sesn_1'),
  'sessions.create': ({ sessions }) => sessions.create({ agent: 'agent_1', environment_id: 'env_1' }),
  'sessions.update': ({ sessions }) => sessions.update('sesn_1', { title: 'a title' }),
  'sessions.archive': ({ sessions }) => sessions.archive('sesn_1'),
  'sessions.delete': ({ sessions }) => sessions.delete('sesn_1'),
  'sessions.events.list': ({ log }) => log.situation('sesn_1'),
  'sessions.events.send': ({ sessions }) => sessions.send('sesn_1', [{ type: 'user.interrupt' }]),
  'sessions.events.stream': ({ log }) => log.source('sesn_1').open(new AbortController().signal),
};

/** Whatever an operation reads of its answer. */
const ANSWER = JSON.stringify({ id: 'sesn_1', type: 'session', status: 'idle', data: [], next_page: null });

const answer: RequestListener = (_request, response) => {
  response.writeHead(200, { 'content-type': 'application/json', 'request-id': 'req_1' }).end(ANSWER);
};
const status =
  (code: number): RequestListener =>
  (_request, response) => {
    const error = { type: 'error', error: { type: 'api_error', message: 'as scripted' } };
    response.writeHead(code, { 'content-type': 'application/json', 'retry-after-ms': '1' }).end(JSON.stringify(error));
  };

/** Ways in which an answer gets lost after the API may have acted. */
const LOST: Readonly<Record<string, RequestListener>> = {
  'the connection is cut after sending': (_request, response) => void response.socket!.destroy(),
  'the answer breaks off in its body': (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': ANSWER.length });
    response.write(ANSWER.slice(0, 10), () => response.socket!.destroy());
  },
  'the answer does not come in time': () => undefined,
  'the body does not come in time': (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).write(ANSWER.slice(0, 10));
  },
  'status 500': status(500),
  'status 503': status(503),
  'status 529': status(529),
  'status 408': status(408),
  'status 409': status(409),
};

const upstreams = new Set<Server>();
afterEach(() => {
  for (const server of upstreams) {
    server.closeAllConnections();
    server.close();
  }
  upstreams.clear();
});

function clientOf(baseUrl: string): ApiClient {
  const settings = { apiKey: 'any', baseUrl, timeoutSeconds: 1, maxRetries: 1 };
  return createApiClient(Object.assign(new AnthropicSettings(), settings));
}

/** Runs one operation against an API whose first answer is `first`, and whose others are good. */
async function run(id: OperationId, first: RequestListener) {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    request.resume().on('end', () => (requests.length === 1 ? first : answer)(request, response));
  }).listen(0, '127.0.0.1');
  upstreams.add(server);
  await once(server, 'listening');
  const api = clientOf(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const stats = new SessionStats();
  const services = {
    catalog: new CatalogService(api),
    sessions: new SessionsService(api, stats),
    log: new EventLogService(api, stats),
  };
  const failure = await DRIVERS[id](services).then(
    () => undefined,
    (error: unknown) => error,
  );
  return { requests, failure };
}

/** All operations at once: most of the time is spent waiting for time limits and pauses. */
function runAll(ids: readonly OperationId[], first: RequestListener) {
  return Promise.all(ids.map(async (id) => ({ id, ...(await run(id, first)) })));
}

const retried = (id: OperationId) => operationOf(id).idempotent && operationOf(id).maxRetries === undefined;
const idempotent = OPERATION_IDS.filter(retried);
const acting = OPERATION_IDS.filter((id) => !operationOf(id).idempotent);

it('the table has operations of both kinds, and a way to call each', () => {
  expect(acting).toEqual(['sessions.create', 'sessions.events.send']);
  expect(Object.keys(DRIVERS).sort()).toEqual([...OPERATION_IDS].sort());
});

describe.each(Object.entries(LOST))('when %s', (_what, first) => {
  it('what is not idempotent is not sent again', async () => {
    for (const { id, requests, failure } of await runAll(acting, first)) {
      expect({ id, sent: requests.length }).toEqual({ id, sent: 1 });
      expect(failure).toBeInstanceOf(ApiError);
      expect(['uncertain', 'status']).toContain((failure as ApiError).details.kind);
    }
  });

  it('what is idempotent is sent again', async () => {
    for (const { id, requests, failure } of await runAll(idempotent, first)) {
      expect({ id, sent: requests.length, failure }).toEqual({ id, sent: 2, failure: undefined });
      expect(requests[1]).toBe(requests[0]);
    }
  });
});

it('an answer that is no JSON leaves open whether an operation took effect', async () => {
  const unreadable: RequestListener = (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"id": ');
  };
  for (const { id, requests, failure } of await runAll(acting, unreadable)) {
    expect({ id, sent: requests.length }).toEqual({ id, sent: 1 });
    expect(failure).toMatchObject({ details: { kind: 'uncertain' } });
  }
});

it('what the API certainly did not act on is sent again, whatever it is', async () => {
  for (const { id, requests, failure } of await runAll([...idempotent, ...acting], status(429))) {
    expect({ id, sent: requests.length, failure }).toEqual({ id, sent: 2, failure: undefined });
  }
});

it('a stream is opened once: its follower has pauses of its own', async () => {
  const streams = OPERATION_IDS.filter((id) => operationOf(id).maxRetries === 0);
  expect(streams).toEqual(['sessions.events.stream']);
  for (const { requests } of await runAll(streams, status(500))) expect(requests).toHaveLength(1);
});

describe('a request under the wrong operation, or under none, is not sent', () => {
  const never = clientOf('http://127.0.0.1:9');

  it('wrong', async () => {
    const call = never.call('sessions.get', (beta, options) =>
      beta.sessions.events.send('sesn_1', { events: [{ type: 'user.interrupt' }] }, options),
    );
    await expect(call).rejects.toThrow('post /v1/sessions/sesn_1/events was requested as operation sessions.get');
  });

  it('none', async () => {
    const call = never.call('sessions.get', (beta) => beta.sessions.retrieve('sesn_1'));
    await expect(call).rejects.toThrow('get /v1/sessions/sesn_1 was requested as operation none');
  });
});

it('metrics keep the names of operations', () => {
  expect(OPERATION_IDS).toEqual([
    'agents.list',
    'agents.get',
    'environments.list',
    'environments.get',
    'vaults.list',
    'vaults.get',
    'memory_stores.list',
    'memory_stores.get',
    'sessions.list',
    'sessions.get',
    'sessions.create',
    'sessions.update',
    'sessions.archive',
    'sessions.delete',
    'sessions.events.list',
    'sessions.events.send',
    'sessions.events.stream',
  ]);
});

it.each(OPERATION_IDS)('%s says what to do when its outcome is uncertain', (id) => {
  const operation: Operation = operationOf(id);
  if (!operation.idempotent) expect(operation.ifUncertain).toMatch(/^Call session_\w+ before you /);
  expect(operation.words).toMatch(/^[a-z ]+$/);
});
