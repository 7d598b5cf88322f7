import { Inject, Injectable } from '@nestjs/common';
import { type McpServer, ProtocolError, ProtocolErrorCode, type ServerContext } from '@modelcontextprotocol/server';
import { type CallClient, endCall, newToolCall, runToolCall, type ToolCall } from '../context/call.js';
import { limitedSignal, type LimitedSignal } from '../context/limited-signal.js';
import { type Principal } from '../context/principal.js';
import { currentRequest } from '../context/request.js';
import { inCallSpan } from './call-span.js';
import { attachClientRequest, callClientOf, clientCapabilitiesOf, type ClientRequest } from './client-request.js';
import { RefusalError } from './errors/tool-error.js';
import { errorResult } from './errors/tool-error-mapping.js';
import { RunningCalls } from './running-calls.js';
import { TOOL_CALL_OBSERVERS, type ToolCallObserver } from './tool-access.js';
import { Shutdown } from './shutdown.js';
import { ToolList } from './tool-list.js';
import { ToolRegistry } from './tool-registry.js';

/** Who is calling, from what the transport knows. */
export type PrincipalSource = (context: ServerContext) => Principal;

/** Who is calling, and the request it came with. */
interface Caller extends ClientRequest {
  readonly principal: Principal;
  readonly client: CallClient;
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
      context,
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
      const end = this.endOfCall();
      const call = this.begin(request, callerOf(context), end.signal);
      const work = async () => {
        if (!call.isKnownTool) throw unknownTool(call.tool);
        if (this.comesTooLate(context)) return errorResult(shuttingDown());
        return handler(request, context);
      };
      const answer = inCallSpan(call, context, () => this.run(call, work));
      return this.running.track(answer.finally(end.release));
    };
  }

  /** Aborts when the time for running calls is over: at shutdown, and at the deadline of the request. */
  private endOfCall(): Pick<LimitedSignal, 'signal' | 'release'> {
    const { ended } = this.shutdown;
    const deadline = currentRequest()?.deadline;
    if (deadline === undefined) return { signal: ended, release: () => undefined };
    return limitedSignal(ended, deadline - Date.now());
  }

  /** Over HTTP late requests are refused as such, where another replica can take them; those that got through are served. */
  private comesTooLate({ http }: ServerContext): boolean {
    return http === undefined && this.shutdown.draining.aborted;
  }

  private begin({ params }: CallRequest, { principal, client, ...request }: Caller, ended: AbortSignal): ToolCall {
    const isKnownTool = this.registry.get(params.name) !== undefined;
    const call = newToolCall({
      tool: isKnownTool ? params.name : unknownName(params.name),
      isKnownTool,
      principal,
      client,
      arguments: params.arguments ?? {},
      draining: this.shutdown.draining,
      ended,
    });
    attachClientRequest(call, request);
    return call;
  }

  private async run(call: ToolCall, work: () => Promise<object>): Promise<object> {
    const startedAt = performance.now();
    for (const observer of this.observers) observer.began?.(call);
    try {
      return await runToolCall(call, work);
    } finally {
      await Promise.all(call.onEnd.map((settle) => settle(call)));
      const durationMs = performance.now() - startedAt;
      for (const observer of this.observers) observer.ended({ call, durationMs });
    }
  }
}

function shuttingDown(): RefusalError {
  return new RefusalError(
    'shutting_down',
    'The server is shutting down; the call was not executed. Call the tool again once the server has been restarted.',
  );
}

/** Ends the call; the error is for the MCP SDK, which answers it as a protocol error. */
function unknownTool(name: string): ProtocolError {
  endCall('unknown_tool');
  return new ProtocolError(
    ProtocolErrorCode.InvalidParams,
    `Unknown tool: ${name}. Call tools/list for the tools of this server.`,
  );
}

/** A name from outside, fit to be shown and logged. */
function unknownName(name: string): string {
  return name.replace(/[^\x20-\x7e]/g, '?').slice(0, 64);
}
