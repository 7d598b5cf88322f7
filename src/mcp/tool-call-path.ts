import { Inject, Injectable } from '@nestjs/common';
import { type McpServer, ProtocolError, ProtocolErrorCode, type ServerContext } from '@modelcontextprotocol/server';
import { type CallClient, endCall, newToolCall, runToolCall, type ToolCall } from '../context/call.js';
import { limitedSignal, type LimitedSignal } from '../context/limited-signal.js';
import { type Principal } from '../context/principal.js';
import { inCallSpan } from './call-span.js';
import { attachClientRequest, callClientOf, clientCapabilitiesOf, type ClientRequest } from './client-request.js';
import { RefusalError } from './errors/tool-error.js';
import { errorResult } from './errors/tool-error-mapping.js';
import { RunningCalls, Shutdown } from './shutdown.js';
import { TOOL_CALL_OBSERVERS, type ToolCallObserver } from './tool-call-observer.js';
import { ToolList } from './tool-list.js';
import { ToolRegistry } from './tool-registry.js';

/** Determines who is calling from what the transport provides. */
type PrincipalSource = (context: ServerContext) => Principal;

/** Who is calling, and the request of the call. */
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
 * Connects every tool call of the MCP SDK to the Nest pipeline. mcp-nest registers its handlers through
 * `setRequestHandler` of each new server, so overriding that method adds what mcp-nest does not offer: our own
 * `tools/list`, and code around every `tools/call` that also runs for calls that no guard or interceptor handles (unknown
 * tools, invalid arguments, refusals).
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
    return (given, context) => {
      const request = this.read(given);
      const deadline = this.running.deadlineOf(this.registry.get(request.params.name));
      const end = this.endOfCall(deadline);
      const call = this.begin(request, callerOf(context), { deadline, ended: end.signal });
      const work = async () => {
        if (!call.isKnownTool) throw unknownTool(call.tool);
        if (this.comesTooLate(context)) return errorResult(shuttingDown());
        return handler(request, context);
      };
      const answer = inCallSpan(call, context, () => this.run(call, work));
      return this.running.track(answer.finally(end.release));
    };
  }

  /** The request with its arguments as the tool reads them, so that the record, the guardrails and the tool see the same. */
  private read(request: CallRequest): CallRequest {
    const { params } = request;
    const tool = this.registry.get(params.name);
    return tool ? { ...request, params: { ...params, arguments: tool.input.read(params.arguments) } } : request;
  }

  /** Aborts when the time for running calls is over: at shutdown, and at the deadline. */
  private endOfCall(deadline: number): LimitedSignal {
    // Timers can be a millisecond early, and then it would not be the deadline that ended the call.
    return limitedSignal(this.shutdown.ended, deadline - Date.now() + 2);
  }

  /** Over HTTP, late requests are refused before they get here, so that another replica can answer them. */
  private comesTooLate({ http }: ServerContext): boolean {
    return http === undefined && this.shutdown.draining.aborted;
  }

  private begin(
    { params }: CallRequest,
    { principal, client, ...request }: Caller,
    end: Pick<ToolCall, 'deadline' | 'ended'>,
  ): ToolCall {
    const isKnownTool = this.registry.get(params.name) !== undefined;
    const call = newToolCall({
      tool: isKnownTool ? params.name : unknownName(params.name),
      isKnownTool,
      principal,
      client,
      arguments: params.arguments ?? {},
      draining: this.shutdown.draining,
      ...end,
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

/** The name of a tool that does not exist, made safe to show and to log. */
function unknownName(name: string): string {
  return name.replace(/[^\x20-\x7e]/g, '?').slice(0, 64);
}
