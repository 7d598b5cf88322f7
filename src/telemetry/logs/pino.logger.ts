import { format } from 'node:util';
import { type LoggerService } from '@nestjs/common';
import { trace } from '@opentelemetry/api';
import { type DestinationStream, type Logger, pino } from 'pino';
import { type Secrets } from '../../config/secrets.js';
import { type LogLevel, type TelemetrySettings } from '../../config/telemetry.settings.js';
import { currentRequest } from '../../context/request.js';

/**
 * Nest's logger on top of pino: every `new Logger('X')` of the server writes through the one that the application uses.
 *
 * Not `nestjs-pino` (5.2.1): it adds pino-http, a middleware for every request and an asynchronous store of its own for
 * the request id, which this server already carries; it adds 36 KB to the bundle and 14 ms to every start, over
 * stdio as well. Its formatting would still have to be replaced: errors must not show their properties, and every line
 * passes the redaction below.
 */
export class PinoLogger implements LoggerService {
  private readonly pino: Logger;

  constructor(leastSevere: LogLevel, destination: DestinationStream) {
    this.pino = pino(
      {
        level: leastSevere,
        // No pid and host name: the collector of the lines knows them.
        base: undefined,
        timestamp: pino.stdTimeFunctions.isoTime,
        formatters: { level: (label) => ({ level: label }) },
        // The serializer of pino shows every property of an error.
        serializers: { err: (fields: unknown) => fields },
        mixin: requestFields,
      },
      destination,
    );
  }

  fatal(message: unknown, ...more: unknown[]): void {
    this.write('fatal', message, more);
  }

  /** Nest passes a stack before the context. */
  error(message: unknown, ...more: unknown[]): void {
    this.write('error', message, more);
  }

  warn(message: unknown, ...more: unknown[]): void {
    this.write('warn', message, more);
  }

  log(message: unknown, ...more: unknown[]): void {
    this.write('info', message, more);
  }

  debug(message: unknown, ...more: unknown[]): void {
    this.write('debug', message, more);
  }

  verbose(message: unknown, ...more: unknown[]): void {
    this.write('trace', message, more);
  }

  /** Writes a line that people and programs look for, whatever the log level is. */
  announce(text: string, context: string): void {
    this.pino.child({}, { level: 'info' }).info({ context }, text);
  }

  private write(level: LogLevel, content: unknown, more: readonly unknown[]): void {
    if (!this.pino.isLevelEnabled(level)) return;
    const texts = more.filter((entry) => typeof entry === 'string');
    const { message, ...fields } = messageOf(content);
    const stack = texts.length > 1 ? { err: { stack: texts[0] } } : undefined;
    // Nest names its loggers after classes, and the bundle puts an underscore before the names of some.
    this.pino[level]({ context: texts.at(-1)?.replace(/^_/, ''), ...stack, ...fields }, message);
  }
}

/** The fields that all lines of one request share. */
function requestFields(): object {
  const span = trace.getActiveSpan()?.spanContext();
  return {
    request_id: currentRequest()?.requestId,
    ...(span && { trace_id: span.traceId, span_id: span.spanId }),
  };
}

const MAX_CAUSES = 4;

/** Name, message and stack only: other properties of API errors quote requests and answers. */
function errorFields(error: Error, depth = 0): object {
  const { name, message, stack, cause } = error;
  return {
    type: name,
    message,
    stack,
    ...(cause instanceof Error && depth < MAX_CAUSES && { cause: errorFields(cause, depth + 1) }),
  };
}

/** An object is a message with further fields. */
function messageOf(content: unknown): { readonly message: string; readonly [field: string]: unknown } {
  if (content instanceof Error) return { message: content.message, err: errorFields(content) };
  if (typeof content !== 'object' || content === null) return { message: String(content) };
  const { message, ...fields } = content as Record<string, unknown>;
  return { message: typeof message === 'string' ? message : '', ...fields };
}

/**
 * The log of a server. It goes to stderr in every mode: in stdio mode stdout carries only JSON-RPC, and one rule for all
 * modes is the safest.
 */
export async function stderrLogger({ logLevel, logFormat }: TelemetrySettings, secrets: Secrets): Promise<PinoLogger> {
  const pretty = logFormat === 'pretty' ? await prettyFormat() : (line: string) => line;
  // The stream that audit lines are written to as well, so that lines stay in order and never mix.
  const logger = new PinoLogger(logLevel, {
    write: (line) => void process.stderr.write(pretty(secrets.redactLine(line))),
  });
  redirectConsole(logger);
  return logger;
}

/**
 * Libraries that write to the console (ioredis does) write to the log instead: as lines of its format, redacted, and never
 * to stdout, which carries JSON-RPC in stdio mode.
 */
function redirectConsole(logger: PinoLogger): void {
  const to =
    (write: (text: string, context: string) => void) =>
    (...texts: unknown[]) =>
      write(format(...texts), 'Console');
  const [error, warn, log, debug] = (['error', 'warn', 'log', 'debug'] as const).map((level) =>
    to((text, context) => logger[level](text, context)),
  );
  Object.assign(console, { error, warn, log, info: log, debug, trace: debug });
}

/** Loaded on demand. It runs in this process, without a worker thread, because the bundle is one file. */
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
