import { type IncomingMessage } from 'node:http';

const JSON_TYPES = ['application/json', 'application/*', '*/*'];
const STREAM_TYPES = ['text/event-stream'];
/** What the transports of the MCP SDK ask for, by name and both. */
const BOTH = 'application/json, text/event-stream';

/**
 * Clients and gateways leave `Accept` out, send a wildcard, or name JSON alone, and the answer to nearly every request is
 * JSON. Such a request gets the header that the MCP SDK asks for. A client that did not ask for an event stream by name gets
 * none: `body` is then returned without its progress token, the only thing that would turn the answer into a stream.
 */
export function acceptJson(request: IncomingMessage, body: unknown): unknown {
  const accept = request.headers.accept;
  if (accept !== undefined && !accepts(accept, JSON_TYPES)) return body;
  const takesStreams = accept !== undefined && accepts(accept, STREAM_TYPES);
  request.headers.accept = BOTH;
  // The transport of 2025 reads the headers as they arrived.
  request.rawHeaders = [...withoutAccept(request.rawHeaders), 'Accept', BOTH];
  return takesStreams ? body : withoutProgress(body);
}

function accepts(accept: string, types: readonly string[]): boolean {
  return accept
    .split(',')
    .map((range) => range.split(';').map((part) => part.trim().toLowerCase()))
    .some(
      ([type = '', ...parameters]) => types.includes(type) && !parameters.some((part) => /^q=0(\.0*)?$/.test(part)),
    );
}

function withoutAccept(rawHeaders: readonly string[]): string[] {
  return rawHeaders.filter((_, at) => rawHeaders[at - (at % 2)]?.toLowerCase() !== 'accept');
}

interface Message {
  readonly params?: { readonly _meta?: Readonly<Record<string, unknown>> };
}

function withoutProgress(body: unknown): unknown {
  const { params } = (body ?? {}) as Message;
  if (params?._meta?.progressToken === undefined) return body;
  const { progressToken: _unused, ..._meta } = params._meta;
  return { ...(body as Message), params: { ...params, _meta } };
}
