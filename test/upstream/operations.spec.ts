import { gzipSync } from 'node:zlib';
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
const ANSWER = JSON.stringify({
  id: 'sesn_1',
  type: 'session',
  status: 'idle',
  created_at: '2026-11-27T10:00:00.000000Z',
  agent: { type: 'agent', id: 'agent_1' },
  data: [],
  next_page: null,
});

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

type Settings = Partial<Record<keyof AnthropicSettings, unknown>>;

function clientOf(baseUrl: string, more: Settings = {}): ApiClient {
  const settings = { apiKey: 'any', baseUrl, timeoutSeconds: 60, maxRetries: 1, maxResponseMb: 1, maxEventMb: 1 };
  return createApiClient(Object.assign(new AnthropicSettings(), settings, more));
}

async function listen(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  upstreams.add(server);
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Runs one operation against an API whose first answer is `first`, and whose others are good. */
async function run(id: OperationId, first: RequestListener, settings?: Settings) {
  const requests: string[] = [];
  const url = await listen((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    request.resume().on('end', () => (requests.length === 1 ? first : answer)(request, response));
  });
  const api = clientOf(url, settings);
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
function runAll(ids: readonly OperationId[], first: RequestListener, settings?: Settings) {
  return Promise.all(ids.map(async (id) => ({ id, ...(await run(id, first, settings)) })));
}

const retried = (id: OperationId) => operationOf(id).idempotent && operationOf(id).maxRetries === undefined;
const idempotent = OPERATION_IDS.filter(retried);
const acting = OPERATION_IDS.filter((id) => !operationOf(id).idempotent);

it('the table has operations of both kinds, and a way to call each', () => {
  expect(acting).toEqual(['sessions.create', 'sessions.events.send']);
  expect(Object.keys(DRIVERS).sort()).toEqual([...OPERATION_IDS].sort());
});

describe.each(Object.entries(LOST))('when %s', (what, first) => {
  // Short where it has to pass, long enough for a good answer on a busy machine.
  const settings = { timeoutSeconds: what.endsWith('in time') ? 5 : 60 };

  it('what is not idempotent is not sent again', async () => {
    for (const { id, requests, failure } of await runAll(acting, first, settings)) {
      expect({ id, sent: requests.length }).toEqual({ id, sent: 1 });
      expect(failure).toBeInstanceOf(ApiError);
      expect(['uncertain', 'status']).toContain((failure as ApiError).details.kind);
    }
  });

  it('what is idempotent is sent again', async () => {
    for (const { id, requests, failure } of await runAll(idempotent, first, settings)) {
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

/** Answers with status 200 that no operation of the API gives. */
const FOREIGN: Readonly<Record<string, [contentType: string, body: string]>> = {
  'a page of a portal': ['text/html', '<html>Sign in</html>'],
  'a page that is called JSON': ['application/json', '<html>Sign in</html>'],
  nothing: ['application/json', ''],
  null: ['application/json', 'null'],
  'an empty array': ['application/json', '[]'],
  'a text': ['application/json', '"data"'],
  'an object of something else': ['application/json', '{"ok":true}'],
  'no list and no id': ['application/json', '{"data":{},"id":17,"type":"session"}'],
  'a byte order mark': ['application/json', '\ufeff'],
};

it.each(Object.entries(FOREIGN))('no operation takes %s for an answer, or asks again', async (_what, [type, body]) => {
  const foreign: RequestListener = (_request, response) => {
    response.writeHead(200, { 'content-type': type }).end(body);
  };
  for (const { id, requests, failure } of await runAll(OPERATION_IDS, foreign)) {
    const details = { kind: 'not_the_api', operation: id, status: 200, contentType: type };
    expect({ id, sent: requests.length, failure }).toMatchObject({ id, sent: 1, failure: { details } });
  }
});

it('a byte order mark before an answer does no harm', async () => {
  const marked: RequestListener = (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(`\ufeff${ANSWER}`);
  };
  const ids = OPERATION_IDS.filter((id) => operationOf(id).answer.shape !== 'stream');
  for (const { id, failure } of await runAll(ids, marked)) expect({ id, failure }).toEqual({ id, failure: undefined });
});

it.each(['authorization', 'x-api-key'] as const)(
  'no operation follows a redirect with the key in %s',
  async (apiKeyHeader) => {
    const elsewhere: string[] = [];
    const other = await listen((request, response) => {
      elsewhere.push(`${request.method} ${request.url}`);
      answer(request, response);
    });
    for (const code of [301, 302, 307, 308]) {
      const redirect: RequestListener = (request, response) => {
        response.writeHead(code, { location: `${other}${request.url}?token=secret` }).end();
      };
      for (const { id, requests, failure } of await runAll(OPERATION_IDS, redirect, { apiKeyHeader })) {
        const details = { kind: 'redirect', operation: id, status: code };
        expect({ id, sent: requests.length, failure }).toMatchObject({ id, sent: 1, failure: { details } });
        expect(String((failure as ApiError).cause)).toContain(`redirected to ${other}`);
        expect(String((failure as ApiError).cause)).not.toContain('secret');
      }
    }
    expect(elsewhere).toEqual([]);
  },
);

describe('answers are bounded', () => {
  const large = `{"id":"sesn_1","type":"session","data":[{"name":"${'x'.repeat(1024 * 1024)}"}]}`;
  const plain: RequestListener = (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(large);
  };
  const compressed: RequestListener = (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' }).end(gzipSync(large));
  };

  it.each([
    ['as it is', plain],
    ['compressed', compressed],
  ])('an answer, %s', async (_how, listener) => {
    // Pages of events are asked for again with fewer events before they are too large.
    const ids = OPERATION_IDS.filter(
      (id) => operationOf(id).answer.shape !== 'stream' && id !== 'sessions.events.list',
    );
    for (const { id, requests, failure } of await runAll(ids, listener)) {
      expect({ id, sent: requests.length, failure }).toMatchObject({
        id,
        sent: 1,
        failure: { details: { kind: 'too_large' } },
      });
    }
  });

  it('the body of an error: its status is told', async () => {
    const refused: RequestListener = (_request, response) => {
      response.writeHead(400, { 'content-type': 'application/json' }).end(large);
    };
    for (const { failure } of await runAll(['agents.list'], refused)) {
      expect(failure).toMatchObject({ details: { kind: 'status', status: 400, apiMessage: undefined } });
    }
  });

  it.each([
    ['one line', ['data: ', 'x'.repeat(2 * 1024 * 1024)]],
    ['many lines', Array.from({ length: 40 }, () => `data: ${'x'.repeat(64 * 1024)}\n`)],
  ])('one event of a stream, in %s', async (_how, parts) => {
    const small = 'event: message\r\ndata: {"type":"agent.message","id":"sevt_1"}\r\n\r\n';
    const url = await listen((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      // Many small events are no large one.
      response.write(small.repeat(40_000));
      for (const part of parts) response.write(part);
    });
    const log = new EventLogService(clientOf(url), new SessionStats());
    const stream = await log.source('sesn_1').open(new AbortController().signal);
    let events = 0;
    const read = async () => {
      for await (const event of stream) events += event.type === 'agent.message' ? 1 : 0;
    };
    await expect(read()).rejects.toThrow('event of more than 1048576 bytes');
    expect(events).toBeGreaterThan(1000);
  });
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
