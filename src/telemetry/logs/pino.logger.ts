import { type LoggerService } from '@nestjs/common';
import { trace } from '@opentelemetry/api';
import { type DestinationStream, type Logger, pino } from 'pino';
import { type LogLevel } from '../../config/telemetry.settings.js';
import { currentRequest } from '../../context/request.js';

/** Nest's logger over pino: every `new Logger('X')` of the server writes through the one that the application uses. */
export class PinoLogger implements LoggerService {
  private readonly pino: Logger;

  constructor(leastSevere: LogLevel, destination: DestinationStream) {
    this.pino = pino(
      {
        level: leastSevere,
        // Where it runs is known to whoever collects the lines.
        base: undefined,
        timestamp: pino.stdTimeFunctions.isoTime,
        formatters: { level: (label) => ({ level: label }) },
        // pino's own shows every property of an error.
        serializers: { err: (fields: unknown) => fields },
        mixin: whereInTheWork,
      },
      destination,
    );
  }

  fatal(message: unknown, ...more: unknown[]): void {
    this.write('fatal', message, more);
  }

  /** Nest adds a stack before the context. */
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

  /** Something people and programs look for, written whatever the least severe level is. */
  announce(text: string, context: string): void {
    this.pino.child({}, { level: 'info' }).info({ context }, text);
  }

  private write(level: LogLevel, said: unknown, more: readonly unknown[]): void {
    if (!this.pino.isLevelEnabled(level)) return;
    const texts = more.filter((entry) => typeof entry === 'string');
    const { message, ...fields } = messageOf(said);
    const stack = texts.length > 1 ? { err: { stack: texts[0] } } : undefined;
    // The bundle puts an underscore before the names of some classes, after which Nest calls its own loggers.
    this.pino[level]({ context: texts.at(-1)?.replace(/^_/, ''), ...stack, ...fields }, message);
  }
}

/** What lines of one request have in common. */
function whereInTheWork(): object {
  const span = trace.getActiveSpan()?.spanContext();
  return {
    request_id: currentRequest()?.requestId,
    ...(span && { trace_id: span.traceId, span_id: span.spanId }),
  };
}

const MAX_CAUSES = 4;

/** Name, message and stack, and no other property: those of API errors quote what was sent and answered. */
function errorFields(error: Error, depth = 0): object {
  const { name, message, stack, cause } = error;
  return {
    type: name,
    message,
    stack,
    ...(cause instanceof Error && depth < MAX_CAUSES && { cause: errorFields(cause, depth + 1) }),
  };
}

/** An object is a message and its fields. */
function messageOf(said: unknown): { readonly message: string; readonly [field: string]: unknown } {
  if (said instanceof Error) return { message: said.message, err: errorFields(said) };
  if (typeof said !== 'object' || said === null) return { message: String(said) };
  const { message, ...fields } = said as Record<string, unknown>;
  return { message: typeof message === 'string' ? message : '', ...fields };
}
