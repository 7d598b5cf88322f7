import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { allTools } from '../../docs/generate/tools.js';
import { OUT, ROOT } from './compile.js';
import { TOKEN } from './exchange.js';
import { type Program } from './process.js';
import { type ToolEntry, TOOLS_FILE } from './tool-file.js';
import { type Ready } from './upstream.js';

/** The server under test, as it is built and shipped. */
export function ours(upstreamUrl: string): Program {
  return {
    name: 'ours',
    script: join(ROOT, 'dist', 'main.js'),
    env: { ...upstream(upstreamUrl), MCP_AUTH_MODE: 'bearer', MCP_LOG_LEVEL: 'error', MCP_HOST: '127.0.0.1' },
    argsFor: (entry, port) => ({ args: [entry], env: { MCP_PORT: String(port) } }),
  };
}

/** The same, as it is compiled: one file for each module, so that a profile can tell them apart. */
export function oursUnbundled(upstreamUrl: string): Program {
  return { ...ours(upstreamUrl), script: join(ROOT, 'build', 'main.js') };
}

/** The same tools on the bare SDK. */
export function bare(upstreamUrl: string, script: string): Program {
  return {
    name: 'bare',
    script,
    env: upstream(upstreamUrl),
    argsFor: (entry, port) => ({ args: [entry, String(port)], env: {} }),
  };
}

/** A bare server whose author keeps the JSON Schemas it lists. */
export function bareConvertingOnce(upstreamUrl: string, script: string): Program {
  const program = bare(upstreamUrl, script);
  return { ...program, name: 'bare, schemas kept', env: { ...program.env, BENCH_CONVERT_ONCE: '1' } };
}

/** The same program with its API answered inside the process. */
export function withoutUpstream(program: Program, preload: string, answersFile: string): Program {
  return {
    ...program,
    env: { ...program.env, BENCH_ANSWERS: answersFile },
    nodeArgs: [...(program.nodeArgs ?? []), '--require', preload],
  };
}

function upstream(url: string): Record<string, string> {
  return { ANTHROPIC_API_KEY: 'bench', ANTHROPIC_BASE_URL: url, MCP_BEARER_TOKEN: TOKEN };
}

/** The API's answers, where {@link withoutUpstream} finds them. */
export function writeAnswers({ answers }: Ready): string {
  const file = join(OUT, 'answers.json');
  writeFileSync(file, JSON.stringify(answers));
  return file;
}

/** Hands the tool definitions to the bare server, without the decorators they are written with. */
export function writeTools(bareScript: string): number {
  const tools = allTools().map<ToolEntry>(({ name, title, description, hints, input }) => ({
    name,
    title,
    description,
    annotations: { title, ...hints },
    inputSchema: input.jsonSchema,
  }));
  writeFileSync(join(dirname(bareScript), TOOLS_FILE), JSON.stringify(tools));
  return tools.length;
}
