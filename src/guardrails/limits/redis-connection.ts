import { type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { within } from '../../common/time-out.js';
import { parseRedisUrl } from '../../config/redis-url.js';
import { CONNECT_TIMEOUT_MS, type RedisClient, redisClient } from './redis-client.js';
import { inOwnTime } from './own-time.js';
import { type StoreFailure } from './store-failure.js';
import { type StoreHealth } from './store-health.js';

/**
 * Keys whose slots lie 1,024 apart: each node of a cluster that has an eighth of the slots or more holds at least one.
 * `CRC16(key) mod 16384` is the slot of a key.
 */
const PROBE_KEYS = [67, 49, 146, 23, 66, 48, 147, 22, 65, 100, 18, 21, 64, 101, 19, 20].map(
  (number) => `managed-agent-control:probe:${number}`,
);
/** Longest wait of a probe, in milliseconds. */
const PROBE_TIMEOUT_MS = 1000;
/** How long a probe stays in the store, in milliseconds. */
const PROBE_MS = 60_000;
/** The limits are counted by scripts that write, so this is a script that writes. */
const PROBE = `return redis.call('SET', KEYS[1], '1', 'PX', ARGV[1])`;

/**
 * The connection to Redis. The server tries to connect once while it starts, and reconnects when the connection is lost;
 * it runs without a connection as well.
 */
export class RedisConnection implements OnModuleInit, OnApplicationShutdown {
  private constructor(
    readonly client: RedisClient,
    private readonly probeKeys: readonly string[],
    private readonly health: StoreHealth,
  ) {
    // Failed attempts and lost connections arrive here, and nowhere else.
    client.on('error', (error: unknown) => health.recordDisconnected(error));
    client.on('ready', () => {
      health.recordConnected();
      // A connection alone is no recovery: the server may be a replica, or full.
      void this.failure();
    });
  }

  static async to(url: string, health: StoreHealth): Promise<RedisConnection> {
    const address = parseRedisUrl(url);
    // Two keys show that a single server is a node of a cluster, which holds only one of them.
    const keys = address.mode === 'cluster' ? PROBE_KEYS : [PROBE_KEYS[0]!, PROBE_KEYS.at(-1)!];
    return new RedisConnection(await redisClient(address), keys, health);
  }

  async onModuleInit(): Promise<void> {
    // The listener has recorded a failure; the client keeps trying.
    const connected = this.client.connect().catch(() => undefined);
    // Where no sentinel answers, the client tries on without an end.
    await within(CONNECT_TIMEOUT_MS, connected);
  }

  /**
   * Why limits cannot be counted now; undefined when they can. It writes to Redis, to every node of a cluster that has an
   * eighth of the slots. Never rejects.
   */
  async failure(): Promise<StoreFailure | undefined> {
    const probes = () => Promise.all(this.probeKeys.map((key) => this.client.eval(PROBE, 1, key, PROBE_MS)));
    const result = await inOwnTime(PROBE_TIMEOUT_MS, probes);
    if ('error' in result) return this.health.recordFailure(result.error);
    this.health.recordRecovery();
    return undefined;
  }

  /** After the last call has ended. */
  onApplicationShutdown(): void {
    this.client.disconnect();
  }
}
