import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { toolCall } from '../exchange.js';
import { monotonicMs } from './clock.js';

/** One answer as it came; read later, so that reading one does not delay noting the next. */
export interface Answer {
  readonly body: string;
  /** When its last byte was there, in milliseconds of the shared clock. */
  readonly endedAtMs: number;
}

/** What a model gets of a tool's answer. */
export interface ToolResult {
  /** The content, as the text a model reads. */
  readonly text: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Calls tools over HTTP as a client of 2026-07-28 does, with as many connections as there are calls at once. */
export class McpClient {
  /** Keeps every connection: a server that gets hundreds of new ones at once leaves some waiting for seconds. */
  private readonly agent = new Agent({ keepAlive: true, maxFreeSockets: Infinity });

  constructor(private readonly port: number) {}

  async call(tool: string, args: Readonly<Record<string, unknown>>): Promise<Answer> {
    const { headers, body } = toolCall('2026-07-28', tool, args);
    const { agent, port } = this;
    const outgoing = request({ agent, port, host: '127.0.0.1', path: '/mcp', method: 'POST', headers });
    outgoing.end(body);
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
    const chunks: Buffer[] = [];
    response.on('data', (chunk: Buffer) => chunks.push(chunk));
    await once(response, 'end');
    const endedAtMs = monotonicMs();
    return { body: Buffer.concat(chunks).toString(), endedAtMs };
  }

  close(): void {
    this.agent.destroy();
  }
}

/** Throws for everything but a good result. */
export function resultOf({ body }: Answer): ToolResult {
  const { result } = JSON.parse(body) as {
    result?: { content: { text: string }[]; structuredContent: Record<string, unknown>; isError?: boolean };
  };
  if (!result || result.isError) throw new Error(`not a good answer: ${body.slice(0, 500)}`);
  return { text: result.content.map(({ text }) => text).join(''), data: result.structuredContent };
}
