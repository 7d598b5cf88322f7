import { formatTime } from '../clock.js';
import { choice, object, onlyFields, string } from '../http/body.js';
import { invalid, notFound } from '../http/errors.js';
import type { ApiRequest, Route } from '../http/router.js';
import { paginate } from '../pagination.js';
import type { SessionResource } from '../wire.js';
import type { World } from '../world.js';
import { mountFile, refuseOverlaps } from './mounts.js';
import type { Session } from './session.js';

const MAX_LIMIT = 1000;

/** What is mounted into a session. After its creation only files can be added and only tokens changed. */
export function resourceRoutes(world: World, find: (request: ApiRequest) => Session): Route[] {
  const all = '/v1/sessions/{sid}/resources';
  const one = `${all}/{rid}`;
  const read = { family: 'agents', bucket: 'read' } as const;
  return [
    {
      method: 'GET',
      path: all,
      ...read,
      query: ['limit', 'page'],
      handle: (request) => list(world, find(request), request),
    },
    { method: 'POST', path: all, ...read, handle: (request) => add(world, find(request), request) },
    { method: 'GET', path: one, ...read, handle: (request) => resourceOf(find(request), request) },
    { method: 'POST', path: one, ...read, handle: (request) => updateToken(world, find(request), request) },
    {
      method: 'DELETE',
      path: one,
      ...read,
      handle: (request) => {
        const { config } = find(request);
        const gone = resourceOf({ config }, request);
        config.resources = config.resources.filter((resource) => resource !== gone);
        return { id: request.params.rid, type: 'session_resource_deleted' };
      },
    },
  ];
}

function list(world: World, session: Session, { query }: ApiRequest) {
  const page = paginate(
    {
      scope: `/v1/sessions/${session.id}/resources`,
      items: session.config.resources.map((resource, index) => ({ resource, index })),
      position: ({ index }) => [index, 0],
      defaultOrder: 'asc',
      defaultLimit: MAX_LIMIT,
      maxLimit: MAX_LIMIT,
    },
    query,
    world.serialization,
  );
  return { ...page, data: page.data.map(({ resource }) => resource) };
}

function add(world: World, { config }: Session, { body }: ApiRequest): SessionResource {
  const params = object(body, 'body');
  choice(params.type, 'type', ['file']);
  const file = mountFile(world, params, 'body');
  refuseOverlaps([...config.resources, file]);
  config.resources = [...config.resources, file];
  return file;
}

function updateToken(world: World, session: Session, request: ApiRequest): SessionResource {
  const resource = resourceOf(session, request);
  const params = object(request.body, 'body');
  onlyFields(params, ['authorization_token']);
  string(params.authorization_token, 'authorization_token', { min: 1 });
  if (resource.type !== 'github_repository') throw invalid('Only the token of a github_repository can be updated');
  resource.updated_at = formatTime(world.clock.now());
  return resource;
}

function resourceOf({ config }: Pick<Session, 'config'>, { params }: ApiRequest): SessionResource {
  const resource = config.resources.find((candidate) => 'id' in candidate && candidate.id === params.rid);
  if (!resource) throw notFound(`Resource ${params.rid} not found`);
  return resource;
}
