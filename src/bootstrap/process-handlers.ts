import { ConfigurationError } from '../config/read-settings.js';

/** Signals with which a platform or a terminal ends a process. */
const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

/** Replaces the handlers of these signals. */
export function onSignals(handle: (signal: NodeJS.Signals) => void): void {
  for (const signal of SIGNALS) process.removeAllListeners(signal).on(signal, handle);
}

/**
 * Exits at once while the server starts and has nothing to finish. The handler is needed because process 1 of a container
 * ignores signals that have none.
 */
export function exitOnSignals(): void {
  onSignals(() => process.exit(0));
}

/**
 * What happens before the process exits because of an unexpected error. A server replaces these once it has a log and
 * calls to finish.
 */
export const crashHandlers = {
  report: printError,
  /** Finishes running work. Never rejects. */
  finish: (): Promise<void> => Promise.resolve(),
};

/** Why the server cannot start, in one line that names the setting to change. The stack trace would say nothing more. */
export class StartError extends Error {}

/** For the log: without a stack trace where the message says everything. */
export function withoutStack(error: unknown): unknown {
  return error instanceof StartError ? error.message : error;
}

/** For the terminal, while there is no log. An invalid configuration is shown without a stack trace. */
function printError(error: unknown): void {
  const text =
    error instanceof ConfigurationError || error instanceof StartError
      ? error.message
      : error instanceof Error
        ? error.stack
        : String(error);
  process.stderr.write(`${text}\n`);
}
