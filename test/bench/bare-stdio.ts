import { type McpServerFactory } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';

export function serve(newServer: McpServerFactory): void {
  serveStdio(newServer);
}
