import { type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { type Redis } from 'ioredis';
import { inOwnTime } from './own-time.js';
import { type StoreHealth } from './store-health.js';

/** Longest wait for a connection, in milliseconds. `StoreHealth` limits the wait for an answer. */
const CONNECT_TIMEOUT_MS = 2000;
/** Longest wait of a readiness check, in milliseconds. */
const PING_TIMEOUT_MS = 1000;
/** A connection that leaves a command unanswered for this long is closed, in milliseconds. */
const SOCKET_TIMEOUT_MS = 5000;
const MAX_RECONNECT_DELAY_MS = 2000;

/**
 * The connection to Redis. The server tries to connect once while it starts, and reconnects when the connection is lost;
 * it runs without a connection as well. Commands are never queued: without a connection they fail at once.
 */
export class RedisConnection implements OnModuleInit, OnApplicationShutdown {
  private constructor(
    readonly client: Redis,
    private readonly health: StoreHealth,
  ) {}

  /** The client is loaded on demand, because most servers run without Redis. */
  static async to(url: string, health: StoreHealth): Promise<RedisConnection> {
    const { Redis } = await import('ioredis');
    const client = new Redis(url, {
      lazyConnect: true,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      connectTimeout: CONNECT_TIMEOUT_MS,
      socketTimeout: SOCKET_TIMEOUT_MS,
      retryStrategy: (attempt) => Math.min(50 * 2 ** Math.min(attempt, 10), MAX_RECONNECT_DELAY_MS),
      connectionName: 'managed-agent-control',
    });
    return new RedisConnection(client, health);
  }

  async onModuleInit(): Promise<void> {
    // Failed attempts and lost connections arrive here, and nowhere else.
    this.client.on('error', (error) => this.health.recordFailure(error));
    this.client.on('ready', () => this.health.recordRecovery());
    // The listener above has recorded a failure; the client keeps trying.
    await this.client.connect().catch(() => undefined);
  }

  /** Whether Redis answers now. Never rejects, and takes about {@link PING_TIMEOUT_MS} at most. */
  async answers(): Promise<boolean> {
    // The listener records lost connections; a failed command adds nothing to that.
    return 'value' in (await inOwnTime(PING_TIMEOUT_MS, () => this.client.ping()));
  }

  /** After the last call has ended. */
  onApplicationShutdown(): void {
    this.client.disconnect();
  }
}
