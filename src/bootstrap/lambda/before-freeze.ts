import { setImmediate, setTimeout } from 'node:timers/promises';
import { type NestFastifyApplication } from '@nestjs/platform-fastify';
import { AuditSinks } from '../../audit/audit-sinks.js';
import { FollowService } from '../../managed-agents/follow/follow.service.js';
import { OpenTelemetry } from '../../telemetry/open-telemetry.js';

/** Longest wait for records, traces and metrics to be delivered, in milliseconds. */
const FLUSH_MS = 2000;
/** Longest wait for requests that nobody waits for any more, in milliseconds. */
const CLOSE_MS = 100;
/**
 * Where Node's fetch keeps its connections, first the place of newer versions of undici. These may leave a wrapper for
 * older ones in the second place (Node 26), or the same dispatcher in both (Node 24).
 */
const PLACES = [Symbol.for('undici.globalDispatcher.2'), Symbol.for('undici.globalDispatcher.1')];

interface Dispatcher {
  close(): Promise<void>;
  destroy(): Promise<void>;
}

/**
 * Lambda freezes the process with the answer, for seconds or for hours. What goes on by itself in a server has to be
 * done or ended by then: records, traces and metrics are delivered, and neither streams nor connections are left that
 * would be broken later without looking so (a stream that shows nothing would be taken for a session in which nothing
 * happens).
 */
export async function beforeFreeze(app: NestFastifyApplication, msLeft: number): Promise<void> {
  app.get(FollowService, { strict: false }).stopUnused();
  const flushMs = Math.min(FLUSH_MS, msLeft);
  await Promise.all([
    app.get(AuditSinks, { strict: false }).flush(flushMs),
    app.get(OpenTelemetry, { strict: false }).flush(flushMs),
  ]);
  await closeConnections();
}

/** Later requests open new ones. */
async function closeConnections(): Promise<void> {
  const dispatchers = globalThis as Record<symbol, Dispatcher | undefined>;
  const used = PLACES.map((place) => dispatchers[place]).find((dispatcher) => dispatcher !== undefined);
  if (!used) return;
  const fresh = new (used.constructor as new () => Dispatcher)();
  for (const place of PLACES) if (dispatchers[place] === used) dispatchers[place] = fresh;
  await Promise.race([used.close(), setTimeout(CLOSE_MS)]);
  await used.destroy();
  // Sockets say goodbye in the next turn of the event loop.
  await setImmediate();
}
