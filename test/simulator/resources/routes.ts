import { formatTime } from '../clock.js';
import { invalid } from '../http/errors.js';
import type { Family } from '../http/gate.js';
import { type Query, RANGE_KEYS } from '../http/query.js';
import type { ApiRequest, Route } from '../http/router.js';
import type { Serialization } from '../options.js';
import { paginate } from '../pagination.js';
import type { World } from '../world.js';
import type { ListRules, Resource } from './collection.js';

const PAGE = ['limit', 'page'];
const TWO_BOUNDS = RANGE_KEYS.filter((key) => /\[[gl]te]/.test(key));

interface Store {
  createFrom(body: unknown): Resource;
  require(id: string): Resource;
  update(id: string, body: unknown): Resource;
  archive(id: string, now: string): Resource;
  delete(id: string): void;
  page(query: Query, rules: ListRules, serialization: Serialization): object;
}

interface Kind {
  path: string;
  family: Family;
  maxLimit: number;
  listQuery: readonly string[];
  /** Environments' lists tell of no rate limit. */
  listBucket?: 'read';
  retrieve?: (request: ApiRequest) => object;
  retrieveQuery?: readonly string[];
  /** The type of a deletion's answer; agents cannot be deleted. */
  deleted?: string;
  beforeDelete?: (id: string) => void;
}

export function resourceRoutes(world: World): Route[] {
  return [
    ...routesFor(world, world.agents, {
      path: '/v1/agents',
      family: 'agents',
      maxLimit: 100,
      listQuery: [...PAGE, ...TWO_BOUNDS, 'include_archived'],
      listBucket: 'read',
      retrieve: ({ params, query }) =>
        world.agents.atVersion(params.id!, query.integer('version', { min: 1, max: Number.MAX_SAFE_INTEGER })),
      retrieveQuery: ['version'],
    }),
    agentVersions(world),
    ...routesFor(world, world.environments, {
      path: '/v1/environments',
      family: 'environments',
      maxLimit: 1000,
      listQuery: [...PAGE, 'include_archived'],
      deleted: 'environment_deleted',
      beforeDelete: (id) => {
        if (world.sessions.all().some(({ config }) => config.environment.id === id)) {
          throw invalid(`Environment ${id} is still referenced by sessions`);
        }
      },
    }),
    ...routesFor(world, world.vaults, {
      path: '/v1/vaults',
      family: 'agents',
      maxLimit: 100,
      listQuery: [...PAGE, 'include_archived'],
      listBucket: 'read',
      deleted: 'vault_deleted',
    }),
    ...routesFor(world, world.memoryStores, {
      path: '/v1/memory_stores',
      family: 'memory',
      maxLimit: 100,
      listQuery: [...PAGE, ...TWO_BOUNDS, 'include_archived'],
      listBucket: 'read',
      deleted: 'memory_store_deleted',
    }),
  ];
}

function routesFor(world: World, store: Store, kind: Kind): Route[] {
  const { path, family, maxLimit, listBucket } = kind;
  const one = `${path}/{id}`;
  const now = () => formatTime(world.clock.now());
  const routes: Route[] = [
    { method: 'POST', path, family, bucket: 'create', handle: ({ body }) => store.createFrom(body) },
    {
      method: 'GET',
      path,
      family,
      bucket: listBucket,
      query: kind.listQuery,
      handle: ({ query }) => store.page(query, { scope: path, maxLimit }, world.serialization),
    },
    {
      method: 'GET',
      path: one,
      family,
      bucket: 'read',
      query: kind.retrieveQuery,
      handle: kind.retrieve ?? (({ params }) => store.require(params.id!)),
    },
    { method: 'POST', path: one, family, bucket: 'read', handle: ({ params, body }) => store.update(params.id!, body) },
    {
      method: 'POST',
      path: `${one}/archive`,
      family,
      bucket: 'read',
      handle: ({ params }) => store.archive(params.id!, now()),
    },
  ];
  if (kind.deleted) routes.push(deletion(store, kind));
  return routes;
}

/** Answered with 200 and a typed body. */
function deletion(store: Store, { path, family, deleted, beforeDelete }: Kind): Route {
  return {
    method: 'DELETE',
    path: `${path}/{id}`,
    family,
    bucket: 'read',
    handle: ({ params }) => {
      store.require(params.id!);
      beforeDelete?.(params.id!);
      store.delete(params.id!);
      return { id: params.id, type: deleted };
    },
  };
}

function agentVersions(world: World): Route {
  return {
    method: 'GET',
    path: '/v1/agents/{id}/versions',
    family: 'agents',
    bucket: 'read',
    query: PAGE,
    handle: ({ params, query }) =>
      paginate(
        {
          scope: `/v1/agents/${params.id}/versions`,
          items: world.agents.allVersions(params.id!).reverse(),
          position: ({ version }) => [version, 0],
          defaultOrder: 'desc',
          defaultLimit: 20,
          maxLimit: 100,
        },
        query,
        world.serialization,
      ),
  };
}
