import { ConfigurationError } from '../config/read-settings.js';

/**
 * What happens when the process must end because of something nobody foresaw. A server puts its own in place of these,
 * once there is a log to tell it to and work to finish.
 */
export const goingDown = {
  report: tell,
  /** What is still to be done before the process ends. Never rejects. */
  finish: (): Promise<void> => Promise.resolve(),
};

/** Without a log, for whoever looks at the terminal. A mistake in the settings says what to set. */
function tell(error: unknown): void {
  const text =
    error instanceof ConfigurationError ? error.message : error instanceof Error ? error.stack : String(error);
  process.stderr.write(`${text}\n`);
}
