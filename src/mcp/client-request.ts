import { Logger } from '@nestjs/common';
import {
  CLIENT_CAPABILITIES_META_KEY,
  CLIENT_INFO_META_KEY,
  type ClientCapabilities,
  type McpServer,
  PROTOCOL_VERSION_META_KEY,
  type ServerContext,
} from '@modelcontextprotocol/server';
import { socketOf } from '../auth/authenticated-request.js';
import { type CallClient, requireToolCall, type ToolCall } from '../context/call.js';
import { plainText } from './result/plain-text.js';

/** The MCP request behind a tool call. Only this module and tools that talk back to the client need it. */
export interface ClientRequest {
  /** The request as the MCP SDK knows it: cancellation, progress, and answers to questions. */
  readonly context: ServerContext;
  /** What the client declared it can do; undefined where nothing of it is known, as for stateless 2025-era requests. */
  readonly clientCapabilities?: ClientCapabilities;
}

/** Beside the record of the call, which knows nothing of the MCP SDK. */
const requests = new WeakMap<ToolCall, ClientRequest>();

/** To be called once, when the call begins. */
export function attachClientRequest(call: ToolCall, request: ClientRequest): void {
  requests.set(call, request);
}

/** The MCP request of the running tool call. */
export function requireClientRequest(): ClientRequest {
  const request = requests.get(requireToolCall());
  if (!request) throw new Error('the tool call has no MCP request');
  return request;
}

/**
 * From the request itself in the 2026 era, from `initialize` before. Each 2025-era HTTP request stands alone and has no
 * capabilities.
 */
export function clientCapabilitiesOf({ server }: McpServer, { mcpReq }: ServerContext): ClientCapabilities | undefined {
  const envelope = mcpReq.envelope as Readonly<Record<string, ClientCapabilities | undefined>> | undefined;
  return envelope ? envelope[CLIENT_CAPABILITIES_META_KEY] : server.getClientCapabilities();
}

const MAX_CHARS = 120;

/**
 * In the 2026 era each request carries name, version and protocol. Over stdio earlier clients have said so once, in
 * `initialize`. Each HTTP request of theirs stands alone and has only its headers.
 */
export function callClientOf({ server }: McpServer, { mcpReq, http }: ServerContext): CallClient {
  const envelope = mcpReq.envelope as Readonly<Record<string, unknown>> | undefined;
  const headers = http?.req?.headers;
  const info = (envelope?.[CLIENT_INFO_META_KEY] ?? server.getClientVersion()) as Readonly<
    Partial<Record<'name' | 'version', unknown>>
  > | null;
  return {
    name: short(info?.name),
    version: short(info?.version),
    protocolVersion: short(
      envelope?.[PROTOCOL_VERSION_META_KEY] ??
        headers?.get('mcp-protocol-version') ??
        server.getNegotiatedProtocolVersion(),
    ),
    userAgent: short(headers?.get('user-agent')),
  };
}

function short(text: unknown): string | undefined {
  return typeof text === 'string' ? plainText(text).replace(/\s+/g, ' ').slice(0, MAX_CHARS) : undefined;
}

/**
 * Aborts when the answer cannot be delivered any more: the client cancelled the call, or its connection is closed. The SDK
 * reports neither for stateless requests of 2025-era clients, for whom the connection itself is watched.
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

const logger = new Logger('Progress');

export interface Progress {
  /** Grows from report to report; seconds, for instance. */
  readonly progress: number;
  readonly total?: number;
  /** May quote an agent: it is made plain text on its way out. */
  readonly message: string;
}

/** Sends the client the progress of its call, if it asked for that. Does nothing where the transport cannot carry it. */
export function reportProgress(context: ServerContext, progress: Progress): void {
  const progressToken = context.mcpReq._meta?.progressToken;
  if (progressToken === undefined) return;
  const params = { ...progress, message: plainText(progress.message), progressToken };
  context.mcpReq
    .notify({ method: 'notifications/progress', params })
    // The client may have disconnected since; its cancellation ends the call.
    .catch((error: unknown) => logger.debug(`progress was not delivered: ${String(error)}`));
}
