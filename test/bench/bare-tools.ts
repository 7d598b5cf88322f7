import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Anthropic from '@anthropic-ai/sdk';
import { type CallToolResult, McpServer, type StandardSchemaWithJSON } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { sessionAnswer } from './session-answer.js';
import { type ToolEntry, TOOLS_FILE } from './tool-file.js';

/**
 * The yardstick: the same tools on the MCP SDK's own server, nothing else. With BENCH_CONVERT_ONCE=1 it keeps the JSON
 * Schemas it lists, which the SDK does not.
 */
const CONVERT_ONCE = process.env.BENCH_CONVERT_ONCE === '1';

interface Tool extends Omit<ToolEntry, 'inputSchema'> {
  readonly input: StandardSchemaWithJSON<Record<string, unknown>>;
}

const client = new Anthropic();
const tools = (JSON.parse(readFileSync(join(__dirname, TOOLS_FILE), 'utf8')) as ToolEntry[]).map(toTool);

function toTool({ inputSchema, ...tool }: ToolEntry): Tool {
  const schema = z.fromJSONSchema(inputSchema);
  const input = schema as unknown as Tool['input'];
  return { ...tool, input: CONVERT_ONCE ? listedAs(inputSchema, input) : input };
}

function listedAs(jsonSchema: Record<string, unknown>, schema: Tool['input']): Tool['input'] {
  const convert = () => jsonSchema;
  return { '~standard': { ...schema['~standard'], jsonSchema: { input: convert, output: convert } } };
}

/** A server for one HTTP request, or for the one connection over stdio. */
export function newServer(): McpServer {
  const server = new McpServer({ name: 'bare', version: '1.0.0' }, { capabilities: { tools: {} } });
  for (const { name, title, description, annotations, input } of tools) {
    server.registerTool(name, { title, description, annotations, inputSchema: input }, (args) => call(name, args));
  }
  return server;
}

async function call(name: string, args: Record<string, unknown>): Promise<CallToolResult> {
  if (name !== 'session_get') throw new Error(`${name} is listed, but not called in the benchmark`);
  const answer = await sessionAnswer(client, String(args.session_id));
  return { content: [{ type: 'text', text: JSON.stringify(answer) }], structuredContent: answer };
}
