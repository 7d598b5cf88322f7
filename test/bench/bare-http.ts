import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import {
  localhostHostValidation,
  localhostOriginValidation,
  NodeStreamableHTTPServerTransport,
  toNodeHandler,
} from '@modelcontextprotocol/node';
import { createMcpHandler, type McpServer } from '@modelcontextprotocol/server';

/** The SDK's documented stateless patterns on node:http: its own handler for 2026-07-28, a transport per older call. */
export function serve(newServer: () => McpServer, { port, token }: { port: number; token: string }): void {
  const validHost = localhostHostValidation();
  const validOrigin = localhostOriginValidation();
  const validToken = tokenValidation(token);
  const modern = toNodeHandler(createMcpHandler(newServer, { legacy: 'reject' }));
  createServer((request, response) => {
    if (!validHost(request, response) || !validOrigin(request, response) || !validToken(request, response)) return;
    const isModern = request.headers['mcp-protocol-version'] === '2026-07-28';
    void (isModern ? modern(request, response) : serveLegacy(newServer(), request, response));
  }).listen(port, '127.0.0.1');
}

async function serveLegacy(server: McpServer, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const transport = new NodeStreamableHTTPServerTransport({ sessionIdGenerator: undefined, enableJsonResponse: true });
  response.on('close', () => {
    void transport.close();
    void server.close();
  });
  await server.connect(transport);
  await transport.handleRequest(request, response);
}

function tokenValidation(token: string): (request: IncomingMessage, response: ServerResponse) => boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  const expected = digest(`Bearer ${token}`);
  return (request, response) => {
    if (timingSafeEqual(digest(request.headers.authorization ?? ''), expected)) return true;
    response.writeHead(401).end();
    return false;
  };
}
