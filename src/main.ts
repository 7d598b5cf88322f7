#!/usr/bin/env node
import { ConfigurationError } from './config/read-settings.js';

const USAGE = `Usage: managed-agent-control-mcp [stdio | http]

  stdio   serve the process that starts this one, over stdin and stdout (the default)
  http    serve over HTTP at /mcp; also --http

Settings are environment variables; see docs/configuration.md.
`;

type Command = () => Promise<void>;

/** Loaded on demand, so that stdio starts without the HTTP stack. */
const COMMANDS: Readonly<Record<string, Command>> = {
  stdio: async () => (await import('./bootstrap/stdio.js')).runStdio(),
  http: async () => (await import('./bootstrap/http.js')).runHttp(),
};
const ALIASES: Readonly<Record<string, string>> = { '--http': 'http' };

async function main([given = 'stdio', ...rest]: string[]): Promise<number> {
  if (given === '--help' || given === '-h') {
    process.stderr.write(USAGE);
    return 0;
  }
  const command = rest.length === 0 ? COMMANDS[ALIASES[given] ?? given] : undefined;
  if (!command) {
    process.stderr.write(USAGE);
    return 2;
  }
  await command();
  return 0;
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
