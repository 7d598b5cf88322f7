import { type ServerContext } from '@modelcontextprotocol/server';
import { socketOf } from '../auth/authenticated-request.js';

/**
 * Aborts when nobody waits for the answer any more: the client cancelled the call, or its connection is gone. The SDK
 * tells neither for stateless requests of 2025-era clients, for whom the connection itself is watched.
 */
export function cancellationOf(context: ServerContext): { signal: AbortSignal; dispose: () => void } {
  const controller = new AbortController();
  const abort = () => controller.abort();
  const { signal: cancelled } = context.mcpReq;
  const socket = socketOf(context.http?.authInfo);
  cancelled.addEventListener('abort', abort, { once: true });
  socket?.once('close', abort);
  if (cancelled.aborted || socket?.destroyed) abort();
  const dispose = () => {
    cancelled.removeEventListener('abort', abort);
    socket?.off('close', abort);
  };
  return { signal: controller.signal, dispose };
}
