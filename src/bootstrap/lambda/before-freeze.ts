import { setImmediate, setTimeout } from 'node:timers/promises';
import { type NestFastifyApplication } from '@nestjs/platform-fastify';
import { AuditSinks } from '../../audit/audit-sinks.js';
import { closeProxyConnections } from '../../egress/outbound-fetch.js';
import { FollowService } from '../../managed-agents/follow/follow.service.js';
import { OpenTelemetry } from '../../telemetry/open-telemetry.js';

/** Longest wait for records, traces and metrics to be delivered, in milliseconds. */
const FLUSH_MS = 2000;
/** Longest wait for requests whose caller is gone, in milliseconds. */
const CLOSE_MS = 100;
/**
 * Symbols under which Node's fetch stores its dispatcher, first the one of newer versions of undici. These may store a
 * wrapper for older ones under the second symbol (Node 26), or the same dispatcher under both (Node 24).
 */
const DISPATCHER_SYMBOLS = [Symbol.for('undici.globalDispatcher.2'), Symbol.for('undici.globalDispatcher.1')];

interface Dispatcher {
  close(): Promise<void>;
  destroy(): Promise<void>;
}

/**
 * Lambda freezes the process after the answer, for seconds or for hours. Background work must be finished or stopped
 * before: records, traces and metrics are delivered, and streams and connections are closed, because they would break
 * unnoticed while the process is frozen (a silent stream would look like an idle session).
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

/** Later requests open new connections. */
async function closeConnections(): Promise<void> {
  await closeProxyConnections();
  const dispatchers = globalThis as Record<symbol, Dispatcher | undefined>;
  const used = DISPATCHER_SYMBOLS.map((symbol) => dispatchers[symbol]).find((dispatcher) => dispatcher !== undefined);
  if (!used) return;
  const fresh = new (used.constructor as new () => Dispatcher)();
  for (const symbol of DISPATCHER_SYMBOLS) if (dispatchers[symbol] === used) dispatchers[symbol] = fresh;
  await Promise.race([used.close(), setTimeout(CLOSE_MS)]);
  await used.destroy();
  // Sockets close in the next turn of the event loop.
  await setImmediate();
}
