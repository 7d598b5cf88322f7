#!/usr/bin/env node
import { crashHandlers, exitOnSignals } from './bootstrap/process-handlers.js';
import { SERVER_VERSION } from './mcp/server-identity.js';

const USAGE = `Usage: managed-agent-control-mcp [stdio | http | doctor [stdio | http | token] | --version | --help]

  stdio   serve the process that starts this one, over stdin and stdout (the default)
  http    serve over HTTP at /mcp; also --http
  doctor  check the settings of what is configured (http or stdio), the identity provider, Redis and the credential, and
          list what is open; with token, also check the access token on stdin; the exit code is 1 when there is a problem

Settings are environment variables; see docs/configuration.md.
`;

const VERSION_COMMANDS: readonly string[] = ['--version', '-v', 'version'];
const HELP_COMMANDS: readonly string[] = ['--help', '-h', 'help'];

/** Longest token that a header can carry, in characters. */
const MAX_TOKEN_CHARS = 65_536;

/** Loaded on demand, so that stdio starts without the HTTP stack. Returns the exit code. */
async function main(args: string[]): Promise<number> {
  const command = args.join(' ');
  if (VERSION_COMMANDS.includes(command)) return print(`${SERVER_VERSION}\n`);
  if (HELP_COMMANDS.includes(command)) return print(USAGE);
  switch (command) {
    case '':
    case 'stdio':
      exitOnSignals();
      await (await import('./bootstrap/stdio.js')).runStdio();
      return 0;
    case 'http':
    case '--http':
      exitOnSignals();
      await (await import('./bootstrap/http.js')).runHttp();
      return 0;
    case 'doctor':
      return (await (await import('./bootstrap/doctor.js')).runDoctor()) ? 0 : 1;
    case 'doctor http':
      return (await (await import('./bootstrap/doctor.js')).runDoctor('http')) ? 0 : 1;
    case 'doctor token':
      return (await (await import('./bootstrap/doctor.js')).runDoctor('http', await readToken())) ? 0 : 1;
    case 'doctor stdio':
      return (await (await import('./bootstrap/doctor.js')).runDoctor('stdio')) ? 0 : 1;
    default:
      process.stderr.write(USAGE);
      return 2;
  }
}

/** Writes what was asked for to stdout, which carries no JSON-RPC for these commands. Returns the exit code. */
function print(text: string): number {
  // eslint-disable-next-line no-restricted-properties
  process.stdout.write(text);
  return 0;
}

/** The token on stdin, with or without `Bearer` before it. */
async function readToken(): Promise<string> {
  let text = '';
  for await (const chunk of process.stdin) {
    text += String(chunk);
    if (text.length > MAX_TOKEN_CHARS)
      throw new Error(`the token on stdin is longer than ${MAX_TOKEN_CHARS} characters; send only the access token`);
  }
  return text.trim().replace(/^Bearer +/i, '');
}

/** Reports the error, then finishes running work (such as audit records) once; a second error exits at once. */
function fail(error: unknown): void {
  crashHandlers.report(error);
  if (failed) process.exit(1);
  failed = true;
  void crashHandlers.finish().finally(() => process.exit(1));
}

let failed = false;
process.on('uncaughtException', fail);
process.on('unhandledRejection', fail);

main(process.argv.slice(2)).then((code) => {
  if (code !== 0) process.exitCode = code;
}, fail);
