import { type DestinationStream } from 'pino';
import { type Secrets } from '../../config/secrets.js';
import { type TelemetrySettings } from '../../config/telemetry.settings.js';
import { PinoLogger } from './pino.logger.js';
import { redactor } from './redaction.js';

/**
 * The log of a server. It goes to stderr in every mode: in stdio mode stdout carries JSON-RPC and nothing else, and one
 * rule for all is safest.
 */
export async function stderrLogger({ logLevel, logFormat }: TelemetrySettings, secrets: Secrets): Promise<PinoLogger> {
  const redacted = redactor(secrets.values);
  const format = logFormat === 'pretty' ? await prettyFormat() : (line: string) => line;
  return new PinoLogger(
    logLevel,
    toStderr((line) => format(redacted(line))),
  );
}

/** The same stream that audit lines are written to, so that lines keep their order and never mix. */
function toStderr(format: (line: string) => string): DestinationStream {
  return { write: (line) => void process.stderr.write(format(line)) };
}

/** Loaded when asked for. In this process, without a worker thread: the server is one file. */
async function prettyFormat(): Promise<(line: string) => string> {
  const { prettyFactory } = await import('pino-pretty');
  return prettyFactory({
    colorize: process.stderr.isTTY === true,
    ignore: 'context',
    messageFormat: '{if context}[{context}] {end}{msg}',
    translateTime: 'SYS:yyyy-mm-dd HH:MM:ss.l',
    singleLine: true,
  }) as (line: string) => string;
}
