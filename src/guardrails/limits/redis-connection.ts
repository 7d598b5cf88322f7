import { type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { type Redis } from 'ioredis';
import { type StoreHealth } from './store-health.js';

/** Longest wait for a connection and for an answer, in milliseconds: as long a call may be held up. */
const CONNECT_TIMEOUT_MS = 2000;
const COMMAND_TIMEOUT_MS = 1000;
/** A connection that owes an answer for so long is given up, in milliseconds. */
const SOCKET_TIMEOUT_MS = 5000;
const MAX_RECONNECT_DELAY_MS = 2000;

/**
 * The connection to Redis. It is tried once while the server starts and again and again when it is lost; neither keeps
 * the server from running. Commands are never queued for later: without a connection they fail at once.
 */
export class RedisConnection implements OnModuleInit, OnApplicationShutdown {
  private constructor(
    readonly client: Redis,
    private readonly health: StoreHealth,
  ) {}

  /** The client is loaded on demand: most servers run without. */
  static async to(url: string, health: StoreHealth): Promise<RedisConnection> {
    const { Redis } = await import('ioredis');
    const client = new Redis(url, {
      lazyConnect: true,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      connectTimeout: CONNECT_TIMEOUT_MS,
      commandTimeout: COMMAND_TIMEOUT_MS,
      socketTimeout: SOCKET_TIMEOUT_MS,
      retryStrategy: (attempt) => Math.min(50 * 2 ** Math.min(attempt, 10), MAX_RECONNECT_DELAY_MS),
      connectionName: 'managed-agent-control',
    });
    return new RedisConnection(client, health);
  }

  async onModuleInit(): Promise<void> {
    // Failed attempts and lost connections arrive here, and nowhere else.
    this.client.on('error', (error) => this.health.say(error));
    this.client.on('ready', () => this.health.back());
    // The listener has told; the client goes on trying.
    await this.client.connect().catch(() => undefined);
  }

  /** Whether it answers now. Never rejects, and takes no longer than a command may. */
  async answers(): Promise<boolean> {
    try {
      await this.client.ping();
      return true;
    } catch {
      // Lost connections are told by the listener; a command that fails says no more than "no".
      return false;
    }
  }

  /** After the last call has ended. */
  onApplicationShutdown(): void {
    this.client.disconnect();
  }
}
