import {
  CLIENT_INFO_META_KEY,
  type McpServer,
  PROTOCOL_VERSION_META_KEY,
  type ServerContext,
} from '@modelcontextprotocol/server';
import { plainText } from './result/plain-text.js';

/** What a client says about itself. Nothing of it is proven; it is for the record. */
export interface CallClient {
  readonly name?: string;
  readonly version?: string;
  readonly protocolVersion?: string;
  /** HTTP only. */
  readonly userAgent?: string;
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
