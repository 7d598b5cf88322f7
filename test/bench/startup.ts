import { type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { request } from 'node:http';
import { createInterface } from 'node:readline';
import { CLIENT_INFO, type Exchange } from './exchange.js';
import { median } from './load.js';
import { numberedPort } from '../support/ports.js';
import { type Program, sleep, start, stop, usageOf } from './process.js';

const POLL_MS = 3;
const TIME_LIMIT_MS = 30_000;

/** From spawn to the first answered call. */
export interface StartTime {
  readonly ms: number;
  /** User and system time of the process; it hardly changes with what else the machine does. */
  readonly cpuMs?: number;
}

/** The median of each server's starts, by its name; the servers take turns. */
export async function startTimes(
  programs: readonly Program[],
  starts: number,
  measure: (program: Program) => Promise<StartTime>,
): Promise<Record<string, StartTime>> {
  const times = new Map<string, StartTime[]>(programs.map(({ name }) => [name, []]));
  for (let count = 0; count < starts; count++) {
    for (const program of programs) times.get(program.name)?.push(await measure(program));
  }
  return Object.fromEntries([...times].map(([name, values]) => [name, medianOf(values)]));
}

function medianOf(times: readonly StartTime[]): StartTime {
  const cpu = times.map(({ cpuMs }) => cpuMs).filter((ms) => ms !== undefined);
  return { ms: median(times.map(({ ms }) => ms)), ...(cpu.length > 0 && { cpuMs: median(cpu) }) };
}

function since(startedAt: number, child: ChildProcess): StartTime {
  const ms = performance.now() - startedAt;
  const usage = usageOf(child);
  return { ms, ...(usage && { cpuMs: usage.cpuSeconds * 1000 }) };
}

export async function httpStart(program: Program, exchange: Exchange): Promise<StartTime> {
  const port = numberedPort();
  const startedAt = performance.now();
  const child = start(program, 'http', port, 'ignore');
  try {
    await firstAnswer(child, port, exchange);
    return since(startedAt, child);
  } finally {
    await stop(child);
  }
}

/** Asks until the server listens; the answer itself has to be a good one. */
export async function firstAnswer(child: ChildProcess, port: number, exchange: Exchange): Promise<string> {
  const deadline = performance.now() + TIME_LIMIT_MS;
  while (performance.now() < deadline) {
    if (child.exitCode !== null) throw new Error(`the server ended with exit code ${child.exitCode}`);
    const answer = await post(port, exchange);
    if (answer !== undefined) return checked(answer, exchange);
    await sleep(POLL_MS);
  }
  throw new Error('the server did not answer in time');
}

/** As a client does it over stdio in the handshake era: initialize, initialized, call. */
export async function stdioStart(program: Program, exchange: Exchange): Promise<StartTime> {
  const startedAt = performance.now();
  const child = start(program, 'stdio', 0, 'pipe');
  const timer = setTimeout(() => child.kill('SIGKILL'), TIME_LIMIT_MS);
  try {
    const { stdin, stdout, stderr } = child;
    if (!stdin || !stdout || !stderr) throw new Error('no pipes to the server');
    const written = readAll(stderr);
    const lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
    const nextLine = async () => {
      const line = await lines.next();
      if (line.done) throw new Error(`the server ended or did not answer in time; stderr: ${await written}`);
      return line.value;
    };
    const send = (message: object) => stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
    const params = { protocolVersion: exchange.era, capabilities: {}, clientInfo: CLIENT_INFO };
    send({ id: 0, method: 'initialize', params });
    await nextLine();
    send({ method: 'notifications/initialized' });
    stdin.write(`${exchange.body}\n`);
    checked(await nextLine(), exchange);
    return since(startedAt, child);
  } finally {
    clearTimeout(timer);
    await stop(child);
  }
}

async function readAll(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

function checked(answer: string, exchange: Exchange): string {
  if (!exchange.accepts(answer)) throw new Error(`not a good answer to ${exchange.tool}: ${answer.slice(0, 300)}`);
  return answer;
}

/** Undefined while nobody listens. */
async function post(port: number, { headers, body }: Exchange): Promise<string | undefined> {
  const outgoing = request({ port, host: '127.0.0.1', path: '/mcp', method: 'POST', headers, agent: false });
  outgoing.end(body);
  try {
    const [response] = (await once(outgoing, 'response')) as [AsyncIterable<Buffer>];
    return await readAll(response);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ECONNREFUSED') return undefined;
    throw error;
  }
}
