#!/usr/bin/env node
import { goingDown } from './bootstrap/going-down.js';
import { endAtOnceOnSignals } from './bootstrap/signals.js';

const USAGE = `Usage: managed-agent-control-mcp [stdio | http | doctor [stdio | http | token]]

  stdio   serve the process that starts this one, over stdin and stdout (the default)
  http    serve over HTTP at /mcp; also --http
  doctor  check the settings for http (or stdio), the identity provider and the credential, and say what is open; with
          token, also judge the access token given on stdin; the exit code tells

Settings are environment variables; see docs/configuration.md.
`;

/** No header could carry a longer one. */
const MAX_TOKEN_CHARS = 65_536;

/** Loaded on demand, so that stdio starts without the HTTP stack. Returns the exit code. */
async function main(args: string[]): Promise<number> {
  switch (args.join(' ')) {
    case '':
    case 'stdio':
      endAtOnceOnSignals();
      await (await import('./bootstrap/stdio.js')).runStdio();
      return 0;
    case 'http':
    case '--http':
      endAtOnceOnSignals();
      await (await import('./bootstrap/http.js')).runHttp();
      return 0;
    case 'doctor':
    case 'doctor http':
      return (await (await import('./bootstrap/doctor.js')).runDoctor('http')) ? 0 : 1;
    case 'doctor token':
      return (await (await import('./bootstrap/doctor.js')).runDoctor('http', await readToken())) ? 0 : 1;
    case 'doctor stdio':
      return (await (await import('./bootstrap/doctor.js')).runDoctor('stdio')) ? 0 : 1;
    case '--help':
    case '-h':
      process.stderr.write(USAGE);
      return 0;
    default:
      process.stderr.write(USAGE);
      return 2;
  }
}

/** The token on stdin, with or without `Bearer` before it. */
async function readToken(): Promise<string> {
  let text = '';
  for await (const chunk of process.stdin) {
    text += String(chunk);
    if (text.length > MAX_TOKEN_CHARS) throw new Error('what was given on stdin is too long for a token');
  }
  return text.trim().replace(/^Bearer +/i, '');
}

/** Told at once; what is then still to be done (audit records on their way) may take a moment, but only once. */
function fail(error: unknown): void {
  goingDown.report(error);
  if (failed) process.exit(1);
  failed = true;
  void goingDown.finish().finally(() => process.exit(1));
}

let failed = false;
process.on('uncaughtException', fail);
process.on('unhandledRejection', fail);

main(process.argv.slice(2)).then((code) => {
  if (code !== 0) process.exitCode = code;
}, fail);
