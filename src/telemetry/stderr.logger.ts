import { ConsoleLogger, type LogLevel } from '@nestjs/common';

/** Nest's console logger on stderr: in stdio mode stdout carries JSON-RPC and nothing else, and one rule for all is safest. */
export class StderrLogger extends ConsoleLogger {
  constructor(leastSevere: LogLevel) {
    super({ logLevels: levelsFrom(leastSevere), colors: process.stderr.isTTY === true });
  }

  protected override printMessages(messages: unknown[], context?: string, logLevel?: LogLevel): void {
    super.printMessages(messages, context, logLevel, 'stderr');
  }
}

const BY_SEVERITY: LogLevel[] = ['fatal', 'error', 'warn', 'log', 'debug', 'verbose'];

function levelsFrom(leastSevere: LogLevel): LogLevel[] {
  return BY_SEVERITY.slice(0, BY_SEVERITY.indexOf(leastSevere) + 1);
}
