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

/** The MCP request of a tool call, for code that reports to the client or asks it something. */
export interface ClientRequest {
  /** The request as the MCP SDK knows it: cancellation, progress, and answers to questions. */
  readonly context: ServerContext;
  /** The capabilities the client declared; undefined where they are unknown, as for stateless 2025-era requests. */
  readonly clientCapabilities?: ClientCapabilities;
}

/** Kept beside the record of the call, which does not depend on the MCP SDK. */
const requests = new WeakMap<ToolCall, ClientRequest>();

/** Called once, when the call begins. */
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
 * Since 2026-07-28 each request carries the capabilities; earlier clients send them once, in `initialize`. A 2025-era HTTP
 * request is stateless and has none.
 */
export function clientCapabilitiesOf({ server }: McpServer, { mcpReq }: ServerContext): ClientCapabilities | undefined {
  const envelope = mcpReq.envelope as Readonly<Record<string, ClientCapabilities | undefined>> | undefined;
  return envelope ? envelope[CLIENT_CAPABILITIES_META_KEY] : server.getClientCapabilities();
}

const MAX_CHARS = 120;

/**
 * Since 2026-07-28 each request carries name, version and protocol. Earlier clients send them once over stdio, in
 * `initialize`; their HTTP requests are stateless and have only headers.
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

/** The longest wait that a header can ask for, in seconds. */
const MAX_PREFERRED_SECONDS = 3600;

/**
 * How long the client waits for an answer, in seconds, where its request says so: MCP has no field for it, HTTP has the
 * header `Prefer: wait=20` (RFC 7240 §4.3). Undefined when it says nothing.
 */
export function clientWaitSeconds({ http }: ServerContext): number | undefined {
  const preferences = (http?.req?.headers.get('prefer') ?? '').split(/[,;]/);
  const wait = preferences.map((preference) => /^\s*wait\s*=\s*"?(\d{1,4})"?\s*$/i.exec(preference)?.[1]).find(Boolean);
  return wait === undefined ? undefined : Math.min(Number(wait), MAX_PREFERRED_SECONDS);
}

/**
 * A signal that aborts when the answer can no longer be delivered: the client cancelled the call, or its connection is
 * closed. The SDK reports neither for stateless requests of 2025-era clients, so the socket itself is observed.
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
  /** May contain text of an agent, so it is reduced to plain text before it is sent. */
  readonly message: string;
}

/** Sends the progress of the call to a client that asked for it. Does nothing where the transport cannot carry it. */
export function reportProgress(context: ServerContext, progress: Progress): void {
  const progressToken = context.mcpReq._meta?.progressToken;
  if (progressToken === undefined) return;
  const params = { ...progress, message: plainText(progress.message), progressToken };
  context.mcpReq
    .notify({ method: 'notifications/progress', params })
    // The client may have disconnected since; its cancellation ends the call.
    .catch((error: unknown) => logger.debug(`progress was not delivered: ${String(error)}`));
}
