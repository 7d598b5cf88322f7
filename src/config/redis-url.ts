/** Where a Redis is, from the text of `MCP_REDIS_URL`. */
export type RedisAddress =
  /** One server. The Redis client reads the URL itself, with its query parameters. */
  | { readonly mode: 'single'; readonly url: string }
  | (SeveralNodes & { readonly mode: 'cluster' })
  | (SeveralNodes & {
      readonly mode: 'sentinel';
      /** The name under which the sentinels know the primary. */
      readonly primary: string;
      readonly database: number;
      readonly sentinelLogin: Login;
    });

export interface RedisNode {
  readonly host: string;
  readonly port: number;
}

export interface Login {
  readonly username?: string;
  readonly password?: string;
}

interface SeveralNodes {
  readonly nodes: readonly RedisNode[];
  readonly tls: boolean;
  /** For the servers that hold the data. */
  readonly login: Login;
}

/** What an address may begin with. */
export const REDIS_URL = {
  pattern: /^rediss?(\+(cluster|sentinel))?:\/\/\S+$/,
  expected:
    'a redis:// or rediss:// URL, or redis+cluster://host:port,host:port or redis+sentinel://host:port,host:port/primary (rediss+… with TLS)',
};

const SEVERAL =
  /^(?<scheme>rediss?)\+(?<mode>cluster|sentinel):\/\/(?:(?<login>[^/?#]*)@)?(?<nodes>[^/?#@]+)(?:\/(?<path>[^?#]*))?(?:\?(?<query>[^#]*))?$/;
const NODE = /^(?:\[(?<v6>[0-9a-fA-F:.]+)\]|(?<host>[\w.-]+))(?::(?<port>\d{1,5}))?$/;
const DEFAULT_PORTS = { cluster: 6379, sentinel: 26379 } as const;

/** Thrown for an address that cannot be used. The message never quotes the address, because it has a password. */
export class RedisUrlError extends Error {}

/**
 * Parses the forms that Redis clients share: `redis://` and `rediss://` for one server;
 * `redis+cluster://[user:password@]host:port,host:port` for some nodes of a cluster; and
 * `redis+sentinel://[user:password@]host:port,host:port/primary[/database][?sentinel_username=…&sentinel_password=…]` for
 * sentinels. With `rediss+…`, connections to all of them use TLS. User, password and name are percent-encoded.
 *
 * @throws {RedisUrlError}
 */
export function parseRedisUrl(url: string): RedisAddress {
  if (/^rediss?:/.test(url)) {
    if (!URL.canParse(url))
      throw new RedisUrlError('is not a URL; characters such as @ and / in a password are percent-encoded');
    return { mode: 'single', url };
  }
  const parts = SEVERAL.exec(url)?.groups as Partial<Record<string, string>> | undefined;
  if (!parts) throw new RedisUrlError(`must be ${REDIS_URL.expected}`);
  const mode = parts.mode as 'cluster' | 'sentinel';
  const shared = {
    nodes: parts.nodes!.split(',').map((text) => nodeOf(text.trim(), DEFAULT_PORTS[mode])),
    tls: parts.scheme === 'rediss',
    login: loginOf(parts.login),
  };
  const path = (parts.path ?? '').split('/').filter((part) => part !== '');
  return mode === 'cluster' ? cluster(shared, path, parts.query) : sentinel(shared, path, parts.query);
}

function cluster(shared: SeveralNodes, path: readonly string[], query: string | undefined): RedisAddress {
  if (path.some((part) => part !== '0') || path.length > 1) {
    throw new RedisUrlError('names a database, and a cluster has only database 0');
  }
  if (query) throw new RedisUrlError('has query parameters, which redis+cluster:// does not have');
  return { mode: 'cluster', ...shared };
}

function sentinel(shared: SeveralNodes, path: readonly string[], query = ''): RedisAddress {
  const [primary, database = '0'] = path;
  if (primary === undefined || path.length > 2 || !/^\d{1,5}$/.test(database)) {
    throw new RedisUrlError(
      'must end with the name of the primary, as in redis+sentinel://host:26379/mymaster or …/mymaster/0',
    );
  }
  const {
    sentinel_username: username,
    sentinel_password: password,
    ...others
  } = Object.fromEntries(new URLSearchParams(query));
  if (Object.keys(others).length > 0) {
    throw new RedisUrlError('has a query parameter other than sentinel_username and sentinel_password');
  }
  return {
    mode: 'sentinel',
    ...shared,
    primary: decoded(primary),
    database: Number(database),
    sentinelLogin: { username, password },
  };
}

function nodeOf(text: string, defaultPort: number): RedisNode {
  const { v6, host = v6, port } = NODE.exec(text)?.groups ?? {};
  if (host === undefined || Number(port ?? 0) > 65_535) {
    throw new RedisUrlError('must list its nodes as host:port, separated by commas');
  }
  return { host, port: port === undefined ? defaultPort : Number(port) };
}

function loginOf(text: string | undefined): Login {
  if (text === undefined) return {};
  const [username = '', ...rest] = text.split(':');
  return {
    username: username === '' ? undefined : decoded(username),
    password: rest.length === 0 ? undefined : decoded(rest.join(':')),
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new RedisUrlError('has a % that begins no percent-encoded character');
  }
}
