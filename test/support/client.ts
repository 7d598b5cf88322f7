import {
  Client,
  type ClientCapabilities,
  StreamableHTTPClientTransport,
  type VersionNegotiationMode,
} from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { built } from './built.js';
import { TOKEN } from './server.js';

/** Both protocol eras, each pinned: negotiation would hide a leg that is lost. */
export const ERAS: readonly (readonly [name: string, mode: VersionNegotiationMode])[] = [
  ['2025-11-25', 'legacy'],
  ['2026-07-28', { pin: '2026-07-28' }],
];

export const MODERN: VersionNegotiationMode = { pin: '2026-07-28' };

export function newClient(mode: VersionNegotiationMode, capabilities: ClientCapabilities = {}): Client {
  return new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode }, capabilities });
}

export async function connectHttp(
  url: string,
  mode: VersionNegotiationMode = MODERN,
  token = TOKEN,
  client = newClient(mode),
): Promise<Client> {
  const requestInit = { headers: { authorization: `Bearer ${token}` } };
  await client.connect(new StreamableHTTPClientTransport(new URL(`${url}/mcp`), { requestInit }));
  return client;
}

/** A client of a stdio server in a process of its own, and what that process wrote to stderr. */
export async function connectStdio(
  env: Record<string, string>,
  mode: VersionNegotiationMode = MODERN,
  client = newClient(mode),
): Promise<{ client: Client; stderr: () => string }> {
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [built('dist/main.js'), 'stdio'],
    env,
    stderr: 'pipe',
  });
  let written = '';
  transport.stderr?.on('data', (chunk: Buffer) => (written += chunk.toString()));
  await client.connect(transport);
  return { client, stderr: () => written };
}

export interface ToolAnswer {
  readonly isError: boolean;
  readonly text: string;
  /** The structured content; `{}` for an error. */
  readonly data: Record<string, any>;
}

/** Calls a tool, and checks that text and structured content carry the same. */
export async function callTool(client: Client, name: string, args: Record<string, unknown> = {}): Promise<ToolAnswer> {
  const result = await client.callTool({ name, arguments: args });
  const text = result.content.map((block) => (block.type === 'text' ? block.text : '')).join('');
  const data = (result.structuredContent ?? {}) as Record<string, unknown>;
  if (!result.isError) expect(JSON.parse(text)).toEqual(data);
  return { isError: result.isError === true, text, data };
}
