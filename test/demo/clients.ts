import { Readable } from 'node:stream';
import { Client, StreamableHTTPClientTransport, type VersionNegotiationMode } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { type HttpServer } from './http-server.js';
import { ServerLog, serverCommand, serverSettings } from './server-process.js';
import { expectThat } from './unexpected.js';

const newClient = (mode: VersionNegotiationMode): Client =>
  new Client({ name: 'demo', version: '1.0.0' }, { versionNegotiation: { mode } });

/** A client of the newest protocol, over HTTP. */
export async function connectHttp({ url, token }: HttpServer): Promise<Client> {
  const client = newClient({ pin: '2026-07-28' });
  const requestInit = { headers: { authorization: `Bearer ${token}` } };
  await client.connect(new StreamableHTTPClientTransport(url, { requestInit }));
  return client;
}

/** A client as most are today. It starts the server itself and ends it by closing. */
export async function connectStdio(
  upstream: string,
  settings: Record<string, string>,
): Promise<{ client: Client; log: ServerLog }> {
  const client = newClient('legacy');
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: serverCommand('stdio'),
    env: serverSettings(upstream, settings),
    stderr: 'pipe',
  });
  expectThat(transport.stderr instanceof Readable, 'the stdio server has no stderr to read');
  const log = new ServerLog(transport.stderr);
  await client.connect(transport);
  return { client, log };
}
