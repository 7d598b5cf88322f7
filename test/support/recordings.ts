import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { join } from 'node:path';

const FOLDER = join(__dirname, '..', 'fixtures', 'recordings');

/** A recording of `test/fixtures/recordings`: what the API sends, in the order, with the fields and the gaps it has. */
export function recording<T>(name: 'turn-with-tool' | 'approval-denied' | 'message-while-running'): T {
  return JSON.parse(readFileSync(join(FOLDER, `${name}.json`), 'utf8')) as T;
}

export interface RecordedEvent {
  readonly id?: string;
  readonly type: string;
  readonly processed_at?: string | null;
  readonly [field: string]: unknown;
}

export interface Exchange {
  readonly request: { readonly method: string; readonly path: string };
  readonly response: { readonly status: number; readonly body?: unknown; readonly events?: RecordedEvent[] };
}

/** Answers with recorded bodies, and with as much of a recorded event log as has "happened" so far. */
export interface Replay {
  readonly url: string;
  /** How many events of the log the API would list by now. */
  happened: number;
  close(): Promise<void>;
}

export async function replay(exchanges: readonly Exchange[], events: readonly RecordedEvent[]): Promise<Replay> {
  const state = { happened: events.length };
  const server = createServer({ keepAliveTimeout: 0 }, (request, response) => {
    const url = new URL(request.url ?? '/', 'http://replay');
    const answer = url.pathname.endsWith('/events')
      ? { status: 200, body: { data: select(events.slice(0, state.happened), url.searchParams) } }
      : bodyFor(exchanges, request.method ?? 'GET', url.pathname);
    response.writeHead(answer.status, { 'content-type': 'application/json', 'request-id': 'req_replayed' });
    response.end(JSON.stringify(answer.body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return Object.assign(state, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  });
}

/** The filters of the API's event list. */
function select(events: readonly RecordedEvent[], query: URLSearchParams): RecordedEvent[] {
  const types = query.getAll('types[]');
  const from = query.get('created_at[gte]');
  const listed = events
    .filter(({ type }) => types.length === 0 || types.includes(type))
    .filter(({ processed_at }) => from === null || (processed_at != null && processed_at >= from));
  return query.get('order') === 'desc' ? listed.toReversed() : listed;
}

/** A recorded answer to the same request; the session that was created answers for its own address as well. */
function bodyFor(exchanges: readonly Exchange[], method: string, path: string): { status: number; body: unknown } {
  const same = exchanges.find(({ request }) => request.method === method && request.path.split('?')[0] === path);
  const created = exchanges.find(({ response }) =>
    path.endsWith(`/${(response.body as { id?: string } | undefined)?.id}`),
  );
  const found = same ?? created;
  return found
    ? { status: 200, body: found.response.body }
    : { status: 404, body: { type: 'error', error: { type: 'not_found_error', message: path } } };
}
