#!/usr/bin/env node
import { ConfigurationError } from './config/read-settings.js';

const USAGE = `Usage: managed-agent-control-mcp [stdio | http | doctor [stdio | http]]

  stdio   serve the process that starts this one, over stdin and stdout (the default)
  http    serve over HTTP at /mcp; also --http
  doctor  check the settings for http (or stdio) and the credential, and say what is open; the exit code tells

Settings are environment variables; see docs/configuration.md.
`;

/** Loaded on demand, so that stdio starts without the HTTP stack. Returns the exit code. */
async function main(args: string[]): Promise<number> {
  switch (args.join(' ')) {
    case '':
    case 'stdio':
      await (await import('./bootstrap/stdio.js')).runStdio();
      return 0;
    case 'http':
    case '--http':
      await (await import('./bootstrap/http.js')).runHttp();
      return 0;
    case 'doctor':
    case 'doctor http':
      return (await (await import('./bootstrap/doctor.js')).runDoctor('http')) ? 0 : 1;
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

function fail(error: unknown): void {
  const text =
    error instanceof ConfigurationError ? error.message : error instanceof Error ? error.stack : String(error);
  process.stderr.write(`${text}\n`);
  process.exit(1);
}

process.on('uncaughtException', fail);
process.on('unhandledRejection', fail);

main(process.argv.slice(2)).then((code) => {
  if (code !== 0) process.exitCode = code;
}, fail);
