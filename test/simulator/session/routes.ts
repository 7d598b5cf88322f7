import { invalid } from '../http/errors.js';
import { RANGE_KEYS, within } from '../http/query.js';
import type { ApiRequest, Route } from '../http/router.js';
import type { StreamTiming } from '../options.js';
import { paginate } from '../pagination.js';
import type { SessionStatus, WireEvent } from '../wire.js';
import type { World } from '../world.js';
import { describeSession } from './describe.js';
import { EVENT_TYPES } from './event-types.js';
import type { EventLog } from './event-log.js';
import { resourceRoutes } from './resource-routes.js';
import type { Session } from './session.js';
import { EventStream } from './stream.js';
import { threadRoutes } from './thread-routes.js';

const PAGE = ['limit', 'page'];
const STATUSES: SessionStatus[] = ['rescheduling', 'running', 'idle', 'terminated'];
const MAX_LIMIT = 1000;
const MAX_DELTAS = 100;

const LIST_QUERY = [
  ...PAGE,
  ...RANGE_KEYS,
  'order',
  'agent_id',
  'agent_version',
  'deployment_id',
  'include_archived',
  'memory_store_id',
  'statuses[]',
];

export function sessionRoutes(world: World, timing: StreamTiming): Route[] {
  const find = ({ params }: ApiRequest) => world.sessions.get(params.sid!);
  const one = '/v1/sessions/{sid}';
  const read = { family: 'agents', bucket: 'read' } as const;
  const stream = (log: EventLog, request: ApiRequest) => openStream(world, timing, { log, request });
  return [
    {
      method: 'POST',
      path: '/v1/sessions',
      family: 'agents',
      bucket: 'create',
      handle: ({ body }) => describeSession(world.sessions.createFrom(body)),
    },
    {
      method: 'GET',
      path: '/v1/sessions',
      ...read,
      query: LIST_QUERY,
      handle: (request) => listSessions(world, request),
    },
    { method: 'GET', path: one, ...read, handle: (request) => describeSession(find(request)) },
    {
      method: 'POST',
      path: one,
      ...read,
      handle: ({ params, body }) => describeSession(world.sessions.update(params.sid!, body)),
    },
    { method: 'DELETE', path: one, ...read, handle: ({ params }) => world.sessions.delete(params.sid!) },
    {
      method: 'POST',
      path: `${one}/archive`,
      ...read,
      handle: ({ params }) => describeSession(world.sessions.archive(params.sid!)),
    },
    {
      method: 'GET',
      path: `${one}/events`,
      ...read,
      query: [...PAGE, ...RANGE_KEYS, 'order', 'types[]'],
      handle: (request) => listEvents(world, find(request), request),
    },
    {
      method: 'POST',
      path: `${one}/events`,
      family: 'agents',
      handle: (request) => ({
        data: find(request).inbox.accept((request.body as { events?: unknown } | undefined)?.events),
      }),
    },
    {
      method: 'GET',
      path: `${one}/events/stream`,
      family: 'agents',
      query: ['event_deltas[]'],
      handle: (request) => stream(find(request).log, request),
    },
    ...threadRoutes(world, find, stream),
    ...resourceRoutes(world, find),
  ];
}

function listSessions(world: World, { query }: ApiRequest) {
  const range = query.range();
  const matches = sessionFilter(query);
  const page = paginate(
    {
      scope: '/v1/sessions',
      items: world.sessions.all().filter((session) => within(range, session.createdAt) && matches(session)),
      position: ({ ordinal }) => [ordinal, 0],
      time: ({ createdAt }) => createdAt,
      range,
      defaultOrder: 'desc',
      defaultLimit: 20,
      maxLimit: MAX_LIMIT,
      bidirectional: true,
    },
    query,
    world.serialization,
  );
  return { ...page, data: page.data.map(describeSession) };
}

function sessionFilter(query: ApiRequest['query']): (session: Session) => boolean {
  const agentId = query.text('agent_id');
  const version = query.integer('agent_version', { min: 1, max: Number.MAX_SAFE_INTEGER });
  if (version !== undefined && agentId === undefined) throw invalid('agent_version: requires agent_id');
  const statuses = query.list('statuses', STATUSES);
  const archivedToo = query.flag('include_archived');
  const memoryStoreId = query.text('memory_store_id');
  const deploymentId = query.text('deployment_id');
  return (session) => {
    const { agent, resources } = session.config;
    return (
      (agentId === undefined || agent.id === agentId) &&
      (version === undefined || agent.version === version) &&
      (archivedToo || session.archivedAt === undefined) &&
      (!statuses || statuses.includes(describeSession(session).status)) &&
      (!memoryStoreId ||
        resources.some((resource) => 'memory_store_id' in resource && resource.memory_store_id === memoryStoreId)) &&
      // No session here comes from a deployment.
      deploymentId === undefined
    );
  };
}

function listEvents(world: World, session: Session, { query }: ApiRequest) {
  const range = query.range();
  const types = query.list('types', EVENT_TYPES);
  const { unlistedTypes = [] } = world.pollution;
  const isListed = ({ type }: WireEvent) => !unlistedTypes.includes(type) && (!types || types.includes(type));
  const page = paginate(
    {
      scope: `/v1/sessions/${session.id}/events`,
      items: session.log.entries.filter(({ at, event }) => within(range, at) && isListed(event)),
      position: ({ position }) => position,
      time: ({ at }) => at,
      range,
      defaultOrder: 'asc',
      defaultLimit: MAX_LIMIT,
      maxLimit: MAX_LIMIT,
    },
    query,
    world.serialization,
  );
  return { ...page, data: page.data.map(({ event }) => event) };
}

function openStream(world: World, timing: StreamTiming, { log, request }: { log: EventLog; request: ApiRequest }) {
  const deltas = request.query.list('event_deltas', ['agent.message', 'agent.thinking']) ?? [];
  if (deltas.length > MAX_DELTAS) throw invalid(`event_deltas: must have at most ${MAX_DELTAS} items`);
  const { clock, serialization, pollution } = world;
  const stream = new EventStream({ clock, serialization, pollution, timing }, log, new Set(deltas));
  return { stream: stream.open.bind(stream) };
}
