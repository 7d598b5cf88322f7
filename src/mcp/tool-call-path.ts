import { Inject, Injectable } from '@nestjs/common';
import {
  CLIENT_CAPABILITIES_META_KEY,
  type ClientCapabilities,
  type McpServer,
  ProtocolError,
  ProtocolErrorCode,
  type ServerContext,
} from '@modelcontextprotocol/server';
import { type Principal } from '../auth/principal.js';
import { type CallClient, callClientOf } from './call-client.js';
import { callDeadline, endOfCall } from './call-deadline.js';
import { inCallSpan } from './call-span.js';
import { currentRequestId } from './request-id.js';
import { RunningCalls } from './running-calls.js';
import { TOOL_CALL_OBSERVERS, type ToolCallObserver } from './tool-access.js';
import { Shutdown } from './shutdown.js';
import { runToolCall, type ToolCall } from './tool-call.js';
import { ToolList } from './tool-list.js';
import { ToolRegistry } from './tool-registry.js';

/** Who is calling, from what the transport knows. */
export type PrincipalSource = (context: ServerContext) => Principal;

/** Who and what stands behind a request. */
interface Caller {
  readonly principal: Principal;
  readonly clientCapabilities?: ClientCapabilities;
  readonly client: CallClient;
}

/** A caller's call, and what ends it from outside. */
interface Begun extends Caller {
  readonly ended: AbortSignal;
}

interface CallRequest {
  readonly params: { readonly name: string; readonly arguments?: Record<string, unknown> };
}
type Handler = (request: CallRequest, context: ServerContext) => Promise<object>;
type SetRequestHandler = (method: string, handler: Handler) => void;

/**
 * The way of every tool call between the MCP SDK and the Nest pipeline. mcp-nest sets its handlers through
 * `setRequestHandler` of each new server, which makes that method the public seam for what it does not offer: our
 * `tools/list`, and a frame around every `tools/call` that also sees the calls no guard or interceptor ever sees
 * (unknown tools, invalid arguments, refusals).
 */
@Injectable()
export class ToolCallPath {
  constructor(
    private readonly registry: ToolRegistry,
    private readonly list: ToolList,
    private readonly running: RunningCalls,
    private readonly shutdown: Shutdown,
    @Inject(TOOL_CALL_OBSERVERS) private readonly observers: readonly ToolCallObserver[],
  ) {}

  install(server: McpServer, principalOf: PrincipalSource): McpServer {
    const protocol = server.server as unknown as { setRequestHandler: SetRequestHandler };
    const setRequestHandler = protocol.setRequestHandler.bind(protocol);
    const callerOf = (context: ServerContext) => ({
      principal: principalOf(context),
      clientCapabilities: clientCapabilitiesOf(server, context),
      client: callClientOf(server, context),
    });
    protocol.setRequestHandler = (method, handler) => {
      if (method === 'tools/list') return setRequestHandler(method, this.listHandler(principalOf));
      if (method === 'tools/call') return setRequestHandler(method, this.callHandler(callerOf, handler));
      return setRequestHandler(method, handler);
    };
    return server;
  }

  private listHandler(principalOf: PrincipalSource): Handler {
    return (_request, context) => Promise.resolve(this.list.for(principalOf(context)));
  }

  private callHandler(callerOf: (context: ServerContext) => Caller, handler: Handler): Handler {
    return (request, context) => {
      const end = endOfCall(this.shutdown.ended);
      const call = this.begin(request, { ...callerOf(context), ended: end.signal }, context);
      const work = this.comesTooLate(context) ? () => refuseLate(call) : () => handler(request, context);
      const answer = inCallSpan(call, () => this.run(call, work));
      return this.running.track(answer.finally(end.release));
    };
  }

  /** Over HTTP late requests are refused as such, where another replica can take them; those that got through are served. */
  private comesTooLate({ http }: ServerContext): boolean {
    return http === undefined && this.shutdown.draining.aborted;
  }

  private begin({ params }: CallRequest, caller: Begun, context: ServerContext): ToolCall {
    const known = this.registry.get(params.name) !== undefined;
    return {
      tool: known ? params.name : unknownName(params.name),
      ...caller,
      requestId: currentRequestId(),
      arguments: params.arguments ?? {},
      context,
      draining: this.shutdown.draining,
      deadline: callDeadline(),
      outcome: known ? 'ok' : 'unknown_tool',
      requestIds: [],
      onEnd: [],
    };
  }

  private async run(call: ToolCall, work: () => Promise<object>): Promise<object> {
    const startedAt = performance.now();
    for (const observer of this.observers) observer.began?.(call);
    try {
      if (call.outcome === 'unknown_tool') throw unknownTool(call.tool);
      return await runToolCall(call, work);
    } catch (error) {
      if (call.outcome === 'ok') call.outcome = 'failed';
      throw error;
    } finally {
      await Promise.all(call.onEnd.map((settle) => settle(call)));
      const durationMs = performance.now() - startedAt;
      for (const observer of this.observers) observer.ended({ call, durationMs });
    }
  }
}

/** From the request itself in the 2026 era, from `initialize` before; each 2025-era HTTP request stands alone, without. */
function clientCapabilitiesOf({ server }: McpServer, { mcpReq }: ServerContext): ClientCapabilities | undefined {
  const envelope = mcpReq.envelope as Readonly<Record<string, ClientCapabilities | undefined>> | undefined;
  return envelope ? envelope[CLIENT_CAPABILITIES_META_KEY] : server.getClientCapabilities();
}

function refuseLate(call: ToolCall): Promise<object> {
  call.outcome = 'refused';
  call.reason = 'shutting_down';
  const text = 'This server is about to end and did nothing. Call the tool again once the server has been restarted.';
  return Promise.resolve({ content: [{ type: 'text', text }], isError: true });
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
