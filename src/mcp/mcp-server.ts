import { type McpServer, ProtocolError, ProtocolErrorCode, type ServerContext } from '@modelcontextprotocol/server';
import { type Principal } from '../auth/principal.js';
import { type ToolCallObserver } from './tool-access.js';
import { type RunningCalls } from './running-calls.js';
import { runToolCall, type ToolCall } from './tool-call.js';
import { type ToolList } from './tool-list.js';
import { type ToolRegistry } from './tool-registry.js';

/** What the server needs to know about the tools and the calls; one object for all requests. */
export interface ToolCallPath {
  readonly registry: ToolRegistry;
  readonly list: ToolList;
  readonly observer: ToolCallObserver;
  readonly running: RunningCalls;
  /** Who is calling, from what the transport knows. Throws when a network call has no principal. */
  readonly principalOf: (context: ServerContext) => Principal;
}

interface CallRequest {
  readonly params: { readonly name: string; readonly arguments?: Record<string, unknown> };
}
type Handler = (request: CallRequest, context: ServerContext) => Promise<object>;
type SetRequestHandler = (method: string, handler: Handler) => void;

/**
 * mcp-nest sets its handlers through `setRequestHandler` of each new server, which makes that method the public seam
 * for what it does not offer: our `tools/list`, and a frame around every `tools/call` that also sees the calls no guard
 * or interceptor ever sees (unknown tools, invalid arguments, refusals).
 */
export function withToolCallPath(server: McpServer, path: ToolCallPath): McpServer {
  const protocol = server.server as unknown as { setRequestHandler: SetRequestHandler };
  const setRequestHandler = protocol.setRequestHandler.bind(protocol);
  protocol.setRequestHandler = (method, handler) => {
    if (method === 'tools/list') return setRequestHandler(method, listHandler(path));
    if (method === 'tools/call') return setRequestHandler(method, callHandler(path, handler));
    return setRequestHandler(method, handler);
  };
  return server;
}

function listHandler(path: ToolCallPath): Handler {
  return (_request, context) => Promise.resolve(path.list.for(path.principalOf(context)));
}

function callHandler(path: ToolCallPath, handler: Handler): Handler {
  const answer: Handler = async (request, context) => {
    const known = path.registry.get(request.params.name) !== undefined;
    const call: ToolCall = {
      tool: known ? request.params.name : unknownName(request.params.name),
      principal: path.principalOf(context),
      arguments: request.params.arguments ?? {},
      outcome: known ? 'ok' : 'unknown_tool',
      requestIds: [],
      ended: path.running.ended,
    };
    const startedAt = performance.now();
    try {
      if (!known) throw unknownTool(call.tool);
      return await runToolCall(call, () => handler(request, context));
    } catch (error) {
      if (call.outcome === 'ok') call.outcome = 'failed';
      throw error;
    } finally {
      path.observer.ended({ call, durationMs: performance.now() - startedAt });
    }
  };
  return (request, context) => path.running.track(answer(request, context));
}

function unknownTool(name: string): ProtocolError {
  return new ProtocolError(
    ProtocolErrorCode.InvalidParams,
    `Unknown tool: ${name}. Call tools/list for the tools of this server.`,
  );
}

/** A name from outside, fit to be shown and logged. */
function unknownName(name: string): string {
  return name.replace(/[^\x20-\x7e]/g, '?').slice(0, 64);
}
