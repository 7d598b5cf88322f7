/** One MCP request as it goes over the wire, and how a good answer to it is told. */
export interface Exchange {
  readonly tool: string;
  readonly era: Era;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Whether the body is a JSON-RPC result that is no tool error and has what was asked for. */
  accepts(body: string): boolean;
}

export const ERAS = ['2025-11-25', '2026-07-28'] as const;
export type Era = (typeof ERAS)[number];

export const TOKEN = 'a-bearer-token-for-the-benchmark-0123456789';
export const CLIENT_INFO = { name: 'bench', version: '1.0.0' };

interface Call {
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
}

export function sessionGet(era: Era, sessionId: string): Exchange {
  return toolCall(era, 'session_get', { session_id: sessionId }, (body) => {
    return body.includes('"turn":"over"') && body.includes(sessionId);
  });
}

/** A call of any tool; `isGood` looks at results that are no errors. */
export function toolCall(
  era: Era,
  tool: string,
  args: Readonly<Record<string, unknown>>,
  isGood: (body: string) => boolean = () => true,
): Exchange {
  const call = { method: 'tools/call', params: { name: tool, arguments: args } };
  const name: Record<string, string> = era === '2026-07-28' ? { 'mcp-name': tool } : {};
  return {
    tool,
    era,
    headers: { ...headersOf(era, call), ...name },
    body: bodyOf(era, call),
    accepts: (body) => isResult(body) && isGood(body),
  };
}

export function toolsList(era: Era): Exchange {
  const call = { method: 'tools/list', params: {} };
  return {
    tool: 'tools/list',
    era,
    headers: headersOf(era, call),
    body: bodyOf(era, call),
    accepts: (body) => isResult(body) && body.includes('"name":"session_get"') && body.includes('"inputSchema"'),
  };
}

/** The same question with other headers, where they differ. */
export function withHeaders(exchange: Exchange, headers: Exchange['headers'] = {}): Exchange {
  return { ...exchange, headers: { ...exchange.headers, ...headers } };
}

function headersOf(era: Era, { method }: Call): Record<string, string> {
  return {
    authorization: `Bearer ${TOKEN}`,
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    'mcp-protocol-version': era,
    ...(era === '2026-07-28' && { 'mcp-method': method }),
  };
}

function bodyOf(era: Era, { method, params }: Call): string {
  const envelope = {
    _meta: {
      'io.modelcontextprotocol/protocolVersion': era,
      'io.modelcontextprotocol/clientCapabilities': {},
      'io.modelcontextprotocol/clientInfo': CLIENT_INFO,
    },
  };
  return JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method,
    params: { ...params, ...(era === '2026-07-28' && envelope) },
  });
}

function isResult(body: string): boolean {
  return body.includes('"result":') && !body.includes('"isError":true');
}
