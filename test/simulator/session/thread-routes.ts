import { formatTime } from '../clock.js';
import { invalid, notFound } from '../http/errors.js';
import type { ApiRequest, Reply, Route } from '../http/router.js';
import { paginate } from '../pagination.js';
import type { SessionStatus } from '../wire.js';
import type { World } from '../world.js';
import type { EventLog } from './event-log.js';
import type { Session } from './session.js';
import type { Thread } from './thread.js';

const PAGE = ['limit', 'page'];
const MAX_LIMIT = 1000;
const STATUSES: SessionStatus[] = ['running', 'idle', 'rescheduling', 'terminated'];

export function threadRoutes(
  world: World,
  find: (request: ApiRequest) => Session,
  stream: (log: EventLog, request: ApiRequest) => Reply,
): Route[] {
  const all = '/v1/sessions/{sid}/threads';
  const one = `${all}/{tid}`;
  const read = { method: 'GET', family: 'agents', bucket: 'read' } as const;
  return [
    { ...read, path: all, query: [...PAGE, 'statuses[]'], handle: (request) => list(world, find(request), request) },
    { ...read, path: one, handle: (request) => describe(world, find(request), request) },
    { ...read, path: `${one}/events`, query: PAGE, handle: (request) => listEvents(world, find(request), request) },
    {
      method: 'GET',
      // Not under /events, unlike the session's own stream.
      path: `${one}/stream`,
      family: 'agents',
      query: ['event_deltas[]'],
      handle: (request) => stream(threadOf(find(request), request).log, request),
    },
    { ...read, method: 'POST', path: `${one}/archive`, handle: (request) => archive(world, find(request), request) },
  ];
}

function list(world: World, session: Session, { query }: ApiRequest) {
  const statuses = query.list('statuses', STATUSES);
  const items = session.threads.map((thread, index) => ({ thread, index }));
  const page = paginate(
    {
      scope: `/v1/sessions/${session.id}/threads`,
      items: items.filter(({ thread }) => !statuses || statuses.includes(thread.status)),
      position: ({ index }) => [index, 0],
      defaultOrder: 'asc',
      defaultLimit: MAX_LIMIT,
      maxLimit: MAX_LIMIT,
    },
    query,
    world.serialization,
  );
  return { ...page, data: page.data.map(({ thread }) => thread.describe(session.id, world.clock.now())) };
}

function describe(world: World, session: Session, request: ApiRequest) {
  return threadOf(session, request).describe(session.id, world.clock.now());
}

function listEvents(world: World, session: Session, request: ApiRequest) {
  const { id, log } = threadOf(session, request);
  const page = paginate(
    {
      scope: `/v1/sessions/${session.id}/threads/${id}/events`,
      items: log.entries,
      position: ({ position }) => position,
      defaultOrder: 'asc',
      defaultLimit: MAX_LIMIT,
      maxLimit: MAX_LIMIT,
    },
    request.query,
    world.serialization,
  );
  return { ...page, data: page.data.map(({ event }) => event) };
}

/** Frees the place of an idle child; one that waits for an answer counts as idle. */
function archive(world: World, session: Session, request: ApiRequest) {
  const thread = threadOf(session, request);
  if (thread === session.primary) throw invalid('The primary thread cannot be archived; archive the session');
  if (thread.archivedAt === undefined) {
    if (thread.status !== 'idle') throw invalid(`Thread ${thread.id} cannot be archived while it is ${thread.status}`);
    thread.archivedAt = world.clock.now();
    session.endThread(thread);
  }
  return { ...thread.describe(session.id, world.clock.now()), archived_at: formatTime(thread.archivedAt) };
}

function threadOf(session: Session, { params }: ApiRequest): Thread {
  const thread = session.threads.find(({ id }) => id === params.tid);
  if (!thread) throw notFound(`Thread ${params.tid} not found`);
  return thread;
}
