import { formatTime } from '../clock.js';
import { array, choice, type Json, object, optionalString, string } from '../http/body.js';
import { invalid } from '../http/errors.js';
import type { SessionResource, WireEnvironment } from '../wire.js';
import type { Catalog } from '../resources/catalog.js';

type Of<T extends SessionResource['type']> = Extract<SessionResource, { type: T }>;

const UPLOADS = '/mnt/session/uploads';
const MAX_FILES = 500;
const MAX_MEMORY_STORES = 8;
const REPOSITORY = /^https:\/\/github\.com\/[\w.-]+\/([\w.-]+)$/;

/** Checks the resources of a create call and puts each where the sandbox would find it. */
export function mountResources(catalog: Catalog, value: unknown, environment: WireEnvironment): SessionResource[] {
  const resources = array(value ?? [], 'resources').map((entry, index) => {
    const path = `resources[${index}]`;
    const params = object(entry, path);
    const type = choice(params.type, `${path}.type`, ['file', 'github_repository', 'memory_store']);
    if (type !== 'memory_store' && environment.config.type === 'self_hosted') {
      throw invalid(`${path}: self-hosted environments accept memory_store resources only`);
    }
    if (type === 'file') return mountFile(catalog, params, path);
    return type === 'github_repository' ? mountRepository(catalog, params, path) : mountMemory(catalog, params, path);
  });
  limit(resources, 'file', MAX_FILES);
  limit(resources, 'memory_store', MAX_MEMORY_STORES);
  refuseOverlaps(resources);
  return resources;
}

/** The session sees its own copy of the file, under a new id and below the uploads folder. */
export function mountFile(catalog: Catalog, params: Json, path: string): Of<'file'> {
  const file_id = string(params.file_id, `${path}.file_id`, { min: 1 });
  const wanted = optionalString(params.mount_path, `${path}.mount_path`) ?? `/${file_id}`;
  if (wanted.split('/').includes('..')) throw invalid(`mount path "${wanted}" escapes /uploads/`);
  const below = wanted.startsWith(`${UPLOADS}/`) ? wanted.slice(UPLOADS.length) : `/${wanted.replace(/^\/+/, '')}`;
  return { type: 'file', file_id: catalog.ids.next('file'), mount_path: `${UPLOADS}${below}`, ...identity(catalog) };
}

/** The token is taken and never returned. */
function mountRepository(catalog: Catalog, params: Json, path: string): Of<'github_repository'> {
  const url = string(params.url, `${path}.url`);
  const name = REPOSITORY.exec(url)?.[1];
  if (!name || name.endsWith('.git')) {
    throw invalid(`${path}.url: must look like https://github.com/owner/repo, without .git`);
  }
  const mount_path = optionalString(params.mount_path, `${path}.mount_path`) ?? `/workspace/${name}`;
  const checkout = params.checkout ? readCheckout(object(params.checkout, `${path}.checkout`), path) : undefined;
  return { type: 'github_repository', url, mount_path, ...(checkout && { checkout }), ...identity(catalog) };
}

function readCheckout(checkout: Json, path: string): Of<'github_repository'>['checkout'] {
  const type = choice(checkout.type, `${path}.checkout.type`, ['branch', 'commit']);
  if (type === 'branch') return { type, name: string(checkout.name, `${path}.checkout.name`, { min: 1 }) };
  const sha = string(checkout.sha, `${path}.checkout.sha`);
  if (!/^[0-9a-f]{40}$/.test(sha)) throw invalid(`${path}.checkout.sha: must be a full commit SHA`);
  return { type, sha };
}

function mountMemory(catalog: Catalog, params: Json, path: string): Of<'memory_store'> {
  const accesses = ['read_write', 'read_only'] as const;
  const store = catalog.memoryStores.requireActive(string(params.memory_store_id, `${path}.memory_store_id`));
  return {
    type: 'memory_store',
    memory_store_id: store.id,
    access: params.access ? choice(params.access, `${path}.access`, accesses) : 'read_write',
    instructions: optionalString(params.instructions, `${path}.instructions`, { max: 4096 }) ?? null,
    name: store.name,
    description: store.description,
    mount_path: `/mnt/memory/${store.name}/`,
  };
}

function identity(catalog: Catalog) {
  const now = formatTime(catalog.clock.now());
  return { id: catalog.ids.next('sesrsc'), created_at: now, updated_at: now };
}

function limit(resources: readonly SessionResource[], type: SessionResource['type'], max: number): void {
  if (resources.filter((resource) => resource.type === type).length > max) {
    throw invalid(`resources: at most ${max} of type ${type} are allowed`);
  }
}

export function refuseOverlaps(resources: readonly SessionResource[]): void {
  const paths = resources.map(({ mount_path }) => mount_path);
  if (paths.some((path, index) => paths.indexOf(path) !== index)) {
    throw invalid('`mount_path` overlaps another resource');
  }
}
