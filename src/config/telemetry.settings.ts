import { type Problem, type Section } from './read-settings.js';
import { Setting } from './setting.decorator.js';

/** pino's level names, most severe first. */
export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Logs, traces and metrics: how the server is seen from outside. `OTEL_*` are OpenTelemetry's own names and meanings. */
export class TelemetrySettings implements Section {
  static readonly title = 'Telemetry';

  @Setting({
    env: 'MCP_LOG_LEVEL',
    kind: { type: 'choice', of: LOG_LEVELS },
    default: 'info',
    summary: 'Least severe log lines to write. Logs and audit lines go to stderr, in every mode.',
  })
  readonly logLevel!: LogLevel;

  @Setting({
    env: 'MCP_LOG_FORMAT',
    kind: { type: 'choice', of: ['json', 'pretty'] },
    default: 'json',
    summary: 'How log lines look: one JSON object each, or text for people. Audit lines are JSON either way.',
  })
  readonly logFormat!: 'json' | 'pretty';

  check(): Problem[] {
    return [];
  }
}
