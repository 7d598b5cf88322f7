import { type Cluster, type CommonRedisOptions, type Redis } from 'ioredis';
import { type RedisAddress } from '../../config/redis-url.js';

/** Longest wait for a connection, in milliseconds. `StoreHealth` limits the wait for an answer. */
export const CONNECT_TIMEOUT_MS = 2000;
/** Longest wait for an answer of a sentinel, in milliseconds. */
const SENTINEL_TIMEOUT_MS = 1000;
/** A connection that leaves a command unanswered for this long is closed, in milliseconds. */
const SOCKET_TIMEOUT_MS = 5000;
const MAX_RECONNECT_DELAY_MS = 2000;
/** Least time between two reconnects because the server accepts no writes, in milliseconds. */
const READ_ONLY_RECONNECT_MS = 1000;
/** How often a command to a cluster is sent again, to another node or after a pause of {@link CLUSTER_RETRY_MS}. */
const MAX_REDIRECTIONS = 6;
const CLUSTER_RETRY_MS = 100;

/** A client of one server, which may change behind sentinels, or of a cluster. */
export type RedisClient = Redis | Cluster;

/**
 * A client that is not connected yet. It reconnects by itself, also from a server that became a replica: behind a fixed
 * address and behind sentinels another server is the primary then. Commands are never queued: without a connection they
 * fail at once. Loaded on demand, because most servers run without Redis.
 */
export async function redisClient(address: RedisAddress): Promise<RedisClient> {
  const { Cluster, Redis } = await import('ioredis');
  switch (address.mode) {
    case 'single':
      return new Redis(address.url, singleOptions());
    case 'sentinel':
      return new Redis({
        ...singleOptions(),
        ...address.login,
        db: address.database,
        name: address.primary,
        sentinels: [...address.nodes],
        sentinelUsername: address.sentinelLogin.username,
        sentinelPassword: address.sentinelLogin.password,
        sentinelCommandTimeout: SENTINEL_TIMEOUT_MS,
        sentinelRetryStrategy: reconnectDelay,
        ...(address.tls && { tls: {}, sentinelTLS: {}, enableTLSForSentinelMode: true }),
      });
    case 'cluster':
      return new Cluster([...address.nodes], {
        lazyConnect: true,
        enableOfflineQueue: false,
        clusterRetryStrategy: reconnectDelay,
        maxRedirections: MAX_REDIRECTIONS,
        retryDelayOnFailover: CLUSTER_RETRY_MS,
        retryDelayOnClusterDown: CLUSTER_RETRY_MS,
        retryDelayOnTryAgain: CLUSTER_RETRY_MS,
        slotsRefreshTimeout: CONNECT_TIMEOUT_MS,
        // Certificates are for the names of nodes, which a look-up would replace by addresses.
        ...(address.tls && { dnsLookup: (host, found) => found(null, host) }),
        redisOptions: { ...sharedOptions(), ...address.login, ...(address.tls && { tls: {} }) },
      });
  }
}

function singleOptions() {
  return { ...sharedOptions(), lazyConnect: true, enableOfflineQueue: false, retryStrategy: reconnectDelay };
}

function sharedOptions() {
  let reconnectedAt = -Infinity;
  return {
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    connectTimeout: CONNECT_TIMEOUT_MS,
    socketTimeout: SOCKET_TIMEOUT_MS,
    connectionName: 'managed-agent-control',
    reconnectOnError: ({ message }) => {
      // A server that is not the primary for long would otherwise be connected to again and again.
      if (!message.includes('READONLY') || performance.now() - reconnectedAt < READ_ONLY_RECONNECT_MS) return false;
      reconnectedAt = performance.now();
      return true;
    },
  } satisfies CommonRedisOptions;
}

function reconnectDelay(attempt: number): number {
  return Math.min(50 * 2 ** Math.min(attempt, 10), MAX_RECONNECT_DELAY_MS);
}
