import { type IncomingHttpHeaders, request } from 'node:http';
import { TOKEN } from './server.js';

export interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly json: any;
}

export interface RawRequest {
  readonly method?: string;
  readonly path?: string;
  readonly body?: string | object;
  /** Replace or, when undefined, remove the usual ones. */
  readonly headers?: Record<string, string | undefined>;
}

const USUAL_HEADERS = {
  authorization: `Bearer ${TOKEN}`,
  'content-type': 'application/json',
  accept: 'application/json, text/event-stream',
};

/** One HTTP request byte for byte as written here, past any client that would correct it. */
export function send(
  url: string,
  { method = 'POST', path = '/mcp', body, headers }: RawRequest = {},
): Promise<RawAnswer> {
  const all = Object.entries({ ...USUAL_HEADERS, ...headers }).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  return new Promise((resolve, reject) => {
    const outgoing = request(`${url}${path}`, { method, headers: Object.fromEntries(all) }, (incoming) => {
      let text = '';
      incoming.setEncoding('utf8');
      incoming.on('data', (chunk: string) => (text += chunk));
      incoming.on('end', () =>
        resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, text, json: parse(text) }),
      );
    });
    outgoing.on('error', reject);
    outgoing.end(typeof body === 'object' ? JSON.stringify(body) : body);
  });
}

/** A 2025-era request. */
export function call(method: string, params: object = {}, id: number | string = 1): object {
  return { jsonrpc: '2.0', id, method, params };
}

/** A tool call of 2026-07-28 by a client that says it can show forms, past any client that would answer them. */
export function callAtForms(
  url: string,
  name: string,
  params: Record<string, unknown>,
  { path, token, prefer }: { readonly path?: string; readonly token?: string; readonly prefer?: string } = {},
): Promise<RawAnswer> {
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': { name: 'raw', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': { elicitation: { form: {} } },
  };
  return send(url, {
    path,
    headers: {
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/call',
      'mcp-name': name,
      ...(token && { authorization: `Bearer ${token}` }),
      prefer,
    },
    body: { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, ...params, _meta } },
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
