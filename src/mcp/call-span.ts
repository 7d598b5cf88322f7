import {
  type Attributes,
  context,
  propagation,
  ROOT_CONTEXT,
  type SpanOptions,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import { type ServerContext } from '@modelcontextprotocol/server';
import { type ToolCall } from '../context/call.js';
import { inSpanAt } from '../context/tracing.js';

/** The keys of `_meta` that carry a trace (SEP-414). Baggage is ignored, because it would be sent on to the API. */
const TRACE_KEYS = ['traceparent', 'tracestate'];

/** The form of a protocol version; a client can send any text. */
const REVISION = /^\d{4}-\d\d-\d\d$/;

/**
 * Runs a tool call as a span that follows the semantic conventions for MCP. Its parent is the trace context in `_meta`,
 * whatever the transport; the span of the HTTP request is then linked.
 */
export function inCallSpan<T>(call: ToolCall, request: ServerContext, work: () => Promise<T>): Promise<T> {
  const { parent, links } = origin(request);
  const target = call.isKnownTool ? ` ${call.tool}` : '';
  const options = { kind: SpanKind.SERVER, attributes: attributesOf(call, request), links };
  return inSpanAt(parent, `tools/call${target}`, options, async (span) => {
    try {
      return await work();
    } finally {
      const { outcome, reason } = call;
      span.setAttribute('managed_agent_control.outcome', outcome);
      if (outcome !== 'ok' && outcome !== 'asked') {
        span.setAttribute('error.type', reason ?? outcome);
        span.setStatus({ code: SpanStatusCode.ERROR });
      }
    }
  });
}

function origin({ mcpReq }: ServerContext): Pick<SpanOptions, 'links'> & { parent: typeof ROOT_CONTEXT } {
  const ambient = context.active();
  const parent = propagation.extract(ROOT_CONTEXT, mcpReq._meta, {
    keys: () => TRACE_KEYS,
    get: (meta, key) => {
      const value = TRACE_KEYS.includes(key) ? meta?.[key] : undefined;
      return typeof value === 'string' ? value : undefined;
    },
  });
  if (!trace.getSpanContext(parent)) return { parent: ambient };
  const request = trace.getSpanContext(ambient);
  return { parent, links: request ? [{ context: request }] : [] };
}

/** Contains no arguments and no texts, and not the name of an unknown tool: a client can send any text as a name. */
function attributesOf(call: ToolCall, { mcpReq, http }: ServerContext): Attributes {
  const { protocolVersion = '' } = call.client;
  return {
    'mcp.method.name': 'tools/call',
    'gen_ai.operation.name': 'execute_tool',
    'gen_ai.tool.name': call.isKnownTool ? call.tool : 'unknown',
    'network.transport': http ? 'tcp' : 'pipe',
    ...(typeof mcpReq.id === 'number' && { 'jsonrpc.request.id': String(mcpReq.id) }),
    ...(REVISION.test(protocolVersion) && { 'mcp.protocol.version': protocolVersion }),
    'managed_agent_control.request_id': call.requestId,
  };
}
