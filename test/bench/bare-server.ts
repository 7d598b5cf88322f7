import { newServer } from './bare-tools.js';

/** The bare tools, started as `bare-server.js stdio` or `bare-server.js http <port>`. */
async function main([entry, port]: readonly string[]): Promise<void> {
  if (entry === 'stdio') (await import('./bare-stdio.js')).serve(newServer);
  else (await import('./bare-http.js')).serve(newServer, { port: Number(port), token: process.env.MCP_BEARER_TOKEN! });
}

void main(process.argv.slice(2));
