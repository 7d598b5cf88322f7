import { fork } from 'node:child_process';
import { once } from 'node:events';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { compile, OUT, ROOT } from '../compile.js';
import { type Exchange, TOKEN, toolsList } from '../exchange.js';
import { median } from '../load.js';
import { describeMachine } from '../machine.js';
import { writeTools } from '../programs.js';
import { number, ratioRow, table } from '../report.js';

const UNBUNDLED_AIM = 0.7;
const BARE_AIM = 2;
const DEFAULT_STARTS = 15;

interface Answer {
  readonly ms: number;
  readonly statusCode: number;
  readonly body: string;
}

/** Cold starts of the function: from `require` to the first answer, each in a new process, the handlers taking turns. */
export async function runLambdaBenchmark([option, count]: readonly string[]): Promise<void> {
  const starts = option === '--starts' ? Number(count) : DEFAULT_STARTS;
  if (!Number.isInteger(starts) || starts < 1) throw new Error('Usage: npm run bench -- lambda [--starts 15]');
  const machine = describeMachine();
  const scriptOf = compile(['lambda/invocation', 'lambda/bare-lambda', 'bare-tools']);
  writeTools(scriptOf('bare-tools'));
  const exchange = toolsList('2025-11-25');
  const eventFile = writeEvent(exchange);
  const bundled = join(ROOT, 'dist', 'lambda.js');
  const handlers = {
    bundled,
    unbundled: join(ROOT, 'build', 'lambda.js'),
    bare: scriptOf('lambda/bare-lambda'),
    'bare, bundled': bundleBare(scriptOf('lambda/bare-lambda')),
  };
  const times = new Map<string, number[]>(Object.keys(handlers).map((name) => [name, []]));
  for (let start = 0; start < starts; start++) {
    for (const [name, script] of Object.entries(handlers)) {
      const { ms, statusCode, body } = await coldStart(scriptOf('lambda/invocation'), script, eventFile);
      if (statusCode !== 200 || !exchange.accepts(body)) throw new Error(`${name} answered ${statusCode}: ${body}`);
      times.get(name)?.push(ms);
    }
  }
  const medians = Object.fromEntries([...times].map(([name, values]) => [name, median(values)]));
  console.log(render(Object.values(machine).join(', '), medians, times, statSync(bundled).size));
}

function render(machine: string, medians: Record<string, number>, times: Map<string, number[]>, bytes: number): string {
  const ratio = (name: string, atMost?: number) =>
    ratioRow(`first answer, ms: bundled to ${name}`, { ours: medians.bundled, bare: medians[name], digits: 0, atMost });
  return [
    machine,
    '',
    table(
      ['require to first answer', 'ratio', 'aim', '', 'ours', 'other'],
      [ratio('unbundled', UNBUNDLED_AIM), ratio('bare', BARE_AIM), ratio('bare, bundled')],
    ),
    '',
    table(
      ['handler', 'cold starts', 'median ms', 'fastest ms', 'slowest ms'],
      [...times].map(([name, values]) => [
        name,
        String(values.length),
        number(medians[name], 0),
        number(Math.min(...values), 0),
        number(Math.max(...values), 0),
      ]),
    ),
    '',
    `dist/lambda.js: ${(bytes / 1e6).toFixed(1)} MB`,
  ].join('\n');
}

function writeEvent({ headers, body }: Exchange): string {
  const host = 'bench.lambda-url.eu-central-1.on.aws';
  const http = { method: 'POST', path: '/mcp', protocol: 'HTTP/1.1', sourceIp: '203.0.113.7', userAgent: 'bench' };
  const event = {
    version: '2.0',
    rawPath: '/mcp',
    rawQueryString: '',
    headers: { ...headers, host },
    requestContext: { domainName: host, requestId: 'bench', http },
    body: Buffer.from(body).toString('base64'),
    isBase64Encoded: true,
  };
  const file = join(OUT, 'event.json');
  writeFileSync(file, JSON.stringify(event));
  return file;
}

/** What a bare handler would be if its author bundled it, too. */
function bundleBare(script: string): string {
  const outfile = join(script, '..', '..', 'bare-lambda.bundle.js');
  buildSync({
    entryPoints: [script],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    minifySyntax: true,
    minifyWhitespace: true,
    logLevel: 'error',
  });
  return outfile;
}

async function coldStart(runner: string, script: string, eventFile: string): Promise<Answer> {
  const child = fork(runner, [script, eventFile], {
    cwd: OUT,
    env: {
      PATH: process.env.PATH,
      ANTHROPIC_API_KEY: 'bench',
      MCP_AUTH_MODE: 'bearer',
      MCP_BEARER_TOKEN: TOKEN,
      MCP_LOG_LEVEL: 'error',
    },
    execArgv: [],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const ended = once(child, 'exit').then(() => Promise.reject(new Error(`${script} ended without an answer`)));
  ended.catch(() => undefined);
  try {
    const [answer] = (await Promise.race([once(child, 'message'), ended])) as [Answer];
    return answer;
  } finally {
    child.kill('SIGKILL');
  }
}
