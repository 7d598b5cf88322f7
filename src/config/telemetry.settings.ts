import { type Entry, type Problem, type Section } from './read-settings.js';
import { Setting } from './setting.decorator.js';

/** pino's level names, most severe first. */
const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

const SAMPLERS = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const;

const PAIRS = /^\s*[^\s=,]+\s*=[^,]*(,\s*[^\s=,]+\s*=[^,]*)*,?\s*$/;

/** Logs, traces and metrics. `OTEL_*` have OpenTelemetry's own names and meanings. */
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
    summary: 'Format of log lines: one JSON object each, or text for people. Audit lines are always JSON.',
  })
  readonly logFormat!: 'json' | 'pretty';

  @Setting({
    env: 'OTEL_SDK_DISABLED',
    kind: { type: 'boolean' },
    default: false,
    summary: 'Switches traces and metrics off, regardless of other settings; `/metrics` is not served then.',
  })
  readonly disabled!: boolean;

  @Setting({
    env: 'OTEL_EXPORTER_OTLP_ENDPOINT',
    kind: { type: 'url' },
    example: 'http://otel-collector:4318',
    summary:
      'Base address of an OTLP/HTTP receiver; traces go to `/v1/traces` below it, and metrics to `/v1/metrics`. Without any endpoint nothing is sent.',
  })
  readonly endpoint?: string;

  @Setting({
    env: 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
    kind: { type: 'url' },
    example: 'http://tempo:4318/v1/traces',
    summary: 'Full address for traces, instead of the base address.',
  })
  readonly tracesEndpoint?: string;

  @Setting({
    env: 'OTEL_EXPORTER_OTLP_METRICS_ENDPOINT',
    kind: { type: 'url' },
    example: 'http://mimir:4318/v1/metrics',
    summary: 'Full address for metrics, instead of the base address.',
  })
  readonly metricsEndpoint?: string;

  @Setting({
    env: 'OTEL_EXPORTER_OTLP_HEADERS',
    kind: { type: 'text', pattern: PAIRS, expected: 'name=value pairs separated by commas' },
    secret: true,
    example: 'authorization=Bearer%20a-token-of-the-receiver',
    summary: 'Headers of every export, as `name=value` pairs separated by commas; values are percent-encoded.',
  })
  readonly headersText?: string;

  @Setting({
    env: 'OTEL_EXPORTER_OTLP_PROTOCOL',
    kind: { type: 'choice', of: ['http/protobuf', 'http/json'] },
    default: 'http/protobuf',
    summary:
      'How exports are encoded. gRPC is not supported; most OTLP receivers also accept HTTP, usually on port 4318.',
  })
  readonly protocol!: 'http/protobuf' | 'http/json';

  @Setting({
    env: 'OTEL_TRACES_EXPORTER',
    kind: { type: 'choice', of: ['otlp', 'none'] },
    default: 'otlp',
    summary: '`none` sends no traces, even when an endpoint is set.',
  })
  readonly tracesExporter!: 'otlp' | 'none';

  @Setting({
    env: 'OTEL_METRICS_EXPORTER',
    kind: { type: 'choice', of: ['otlp', 'none'] },
    default: 'otlp',
    summary: '`none` sends no metrics, even when an endpoint is set. `/metrics` does not depend on it.',
  })
  readonly metricsExporter!: 'otlp' | 'none';

  @Setting({
    env: 'OTEL_METRIC_EXPORT_INTERVAL',
    kind: { type: 'integer', min: 1000, max: 3_600_000 },
    default: 60_000,
    summary: 'Time between two exports of metrics, in milliseconds.',
  })
  readonly exportIntervalMs!: number;

  @Setting({
    env: 'OTEL_SERVICE_NAME',
    kind: { type: 'text' },
    default: 'managed-agent-control',
    summary: 'Name of the server in traces and metrics (`service.name`).',
  })
  readonly serviceName!: string;

  @Setting({
    env: 'OTEL_RESOURCE_ATTRIBUTES',
    kind: { type: 'text', pattern: PAIRS, expected: 'name=value pairs separated by commas' },
    example: 'deployment.environment.name=production,service.instance.id=pod-1',
    summary: 'Further attributes of the server in traces and metrics; values are percent-encoded.',
  })
  readonly resourceText?: string;

  @Setting({
    env: 'OTEL_TRACES_SAMPLER',
    kind: { type: 'choice', of: SAMPLERS },
    default: 'parentbased_always_on',
    summary: 'Which traces are recorded. `parentbased_…` follows the decision of the caller, if there is one.',
  })
  readonly sampler!: (typeof SAMPLERS)[number];

  @Setting({
    env: 'OTEL_TRACES_SAMPLER_ARG',
    kind: { type: 'text', pattern: /^(0|1|0?\.\d+|[01]\.0+)$/, expected: 'a number from 0 to 1' },
    example: '0.1',
    summary: 'The share of traces that `traceidratio` and `parentbased_traceidratio` record; without it all are.',
  })
  readonly samplerArg?: string;

  /** Why traces and metrics are off although variables of OpenTelemetry are set. */
  unusable?: string;

  /**
   * Over stdio these variables are often those of the client or of the machine, meant for other programs: what this server
   * cannot use switches traces and metrics off, and does not stop the start.
   */
  tolerate(entry: Entry, problems: readonly Problem[]): readonly Problem[] {
    const foreign = entry === 'stdio' ? problems.filter(({ env }) => env.startsWith('OTEL_')) : [];
    if (foreign.length === 0) return problems;
    Object.assign(this, { disabled: true });
    this.unusable = foreign.map(({ env, message }) => `${env} ${message}`).join('; ');
    return problems.filter((problem) => !foreign.includes(problem));
  }

  /** Destination of traces; undefined when none are sent. */
  get tracesUrl(): string | undefined {
    if (this.disabled || this.tracesExporter === 'none') return undefined;
    return this.tracesEndpoint ?? (this.endpoint === undefined ? undefined : `${this.endpoint}/v1/traces`);
  }

  /** Destination of metrics; undefined when none are sent. */
  get metricsUrl(): string | undefined {
    if (this.disabled || this.metricsExporter === 'none') return undefined;
    return this.metricsEndpoint ?? (this.endpoint === undefined ? undefined : `${this.endpoint}/v1/metrics`);
  }

  get headers(): Record<string, string> {
    return pairsOf(this.headersText);
  }

  get resourceAttributes(): Record<string, string> {
    return pairsOf(this.resourceText);
  }

  check(): Problem[] {
    const problems: Problem[] = [];
    const encoded = [
      ['OTEL_EXPORTER_OTLP_HEADERS', this.headersText],
      ['OTEL_RESOURCE_ATTRIBUTES', this.resourceText],
    ] as const;
    for (const [env, text] of encoded) {
      if (!isDecodable(text))
        problems.push({ env, message: 'has a "%" that does not begin a percent-encoded character' });
    }
    if (this.samplerArg !== undefined && !this.sampler.endsWith('traceidratio')) {
      problems.push({
        env: 'OTEL_TRACES_SAMPLER_ARG',
        message: 'needs OTEL_TRACES_SAMPLER=traceidratio or parentbased_traceidratio',
      });
    }
    return problems;
  }
}

function pairsOf(text = ''): Record<string, string> {
  const pairs = text.split(',').filter((pair) => pair.trim() !== '');
  return Object.fromEntries(
    pairs.map((pair) => {
      const [name = '', ...value] = pair.split('=');
      return [name.trim(), decodeURIComponent(value.join('=').trim())];
    }),
  );
}

function isDecodable(text: string | undefined): boolean {
  try {
    pairsOf(text);
    return true;
  } catch {
    // Only decoding can fail. The text is not repeated, because it may be a secret.
    return false;
  }
}
