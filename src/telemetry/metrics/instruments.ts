import { type Attributes, type Meter } from '@opentelemetry/api';

/** One metric, as data: for recording it, for the reference page, and for checking dashboards. */
export interface InstrumentDeclaration {
  /** As in Prometheus, which appends `_total` to counters. */
  readonly name: string;
  readonly kind: 'counter' | 'histogram' | 'gauge';
  readonly unit: string;
  readonly description: string;
  /** The labels and a description of their values, of which each label has a bounded number. */
  readonly labels?: Readonly<Record<string, string>>;
  readonly buckets?: readonly number[];
}

const PREFIX = 'managed_agent_control_';
const TOOL = 'name of a tool of this server; `unknown` for any other name';
const OUTCOME = '`ok`, `asked`, `refused`, `invalid`, `unknown_tool`, `failed`, as in the audit';
const OPERATION =
  'operation of the API, such as `sessions.create`; `other` for operations that this server does not use';
/** From a read in memory to the longest wait, in seconds. */
const CALL_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 60, 120, 240];
const REQUEST_BUCKETS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

const declared = <K extends string>(instruments: Readonly<Record<K, InstrumentDeclaration>>) => instruments;

/** Every metric of the server. */
export const INSTRUMENTS = declared({
  toolCalls: {
    name: `${PREFIX}tool_calls`,
    kind: 'counter',
    unit: '{call}',
    description: 'Tool calls that have ended.',
    labels: { tool: TOOL, outcome: OUTCOME },
  },
  toolCallDuration: {
    name: `${PREFIX}tool_call_duration_seconds`,
    kind: 'histogram',
    unit: 's',
    description: 'How long tool calls took, from their arrival at MCP to their answer. Waits are meant to be long.',
    labels: { tool: TOOL, outcome: OUTCOME },
    buckets: CALL_BUCKETS,
  },
  callsInFlight: {
    name: `${PREFIX}tool_calls_in_flight`,
    kind: 'gauge',
    unit: '{call}',
    description: 'Tool calls in progress.',
  },
  refusals: {
    name: `${PREFIX}refusals`,
    kind: 'counter',
    unit: '{call}',
    description: 'Tool calls that a guardrail refused.',
    labels: { tool: TOOL, rule: 'the rule that refused, as in the audit (docs/guardrails.md)' },
  },
  authFailures: {
    name: `${PREFIX}auth_failures`,
    kind: 'counter',
    unit: '{request}',
    description: 'Requests that were refused because the caller could not be authenticated.',
    labels: {
      reason: '`missing`, `unknown_token`, `signature`, `not_before`, `other`, or the rule that a token failed',
    },
  },
  rateLimitDecisions: {
    name: `${PREFIX}rate_limit_decisions`,
    kind: 'counter',
    unit: '{decision}',
    description: 'Decisions of the limits. Limits that are not set make none.',
    labels: {
      limit: '`calls`, `starts`, `running_sessions`',
      decision:
        '`allowed`, `refused`, `unchecked` (the store failed, the call was allowed), `unavailable` (the store failed, the call was refused)',
    },
  },
  limitStoreUp: {
    name: `${PREFIX}limit_store_up`,
    kind: 'gauge',
    unit: '1',
    description: '1 while the rate-limit store can count (memory always can), 0 after a failure, until it can again.',
  },
  limitStoreFailures: {
    name: `${PREFIX}limit_store_failures`,
    kind: 'counter',
    unit: '{failure}',
    description: 'Failures of the rate-limit store: of commands, of probes, and of attempts to connect.',
    labels: {
      reason:
        '`unreachable`, `cluster_mode` (a cluster at an address of a single server, or the reverse), `read_only`, `full`, `credentials`, `not_ready`, `other`',
    },
  },
  upstreamRequests: {
    name: `${PREFIX}upstream_requests`,
    kind: 'counter',
    unit: '{request}',
    description: 'Requests to the Managed Agents API. Every attempt counts.',
    labels: {
      operation: OPERATION,
      status: 'HTTP status of the answer; `timeout`, `connection`, `cancelled` if there was none or it was incomplete',
      retry: '`true` when the SDK repeated a request that had failed',
    },
  },
  upstreamDuration: {
    name: `${PREFIX}upstream_request_duration_seconds`,
    kind: 'histogram',
    unit: 's',
    description: 'How long the API took to answer, up to the headers; streams stay open after that.',
    labels: { operation: OPERATION },
    buckets: REQUEST_BUCKETS,
  },
  streams: {
    name: `${PREFIX}streams`,
    kind: 'gauge',
    unit: '{session}',
    description: 'Sessions that are followed, each over one stream of the API.',
  },
  streamsLimit: {
    name: `${PREFIX}streams_limit`,
    kind: 'gauge',
    unit: '{session}',
    description: 'How many sessions may be followed at once (MCP_MAX_STREAMS).',
  },
  streamsPolling: {
    name: `${PREFIX}streams_polling`,
    kind: 'gauge',
    unit: '{session}',
    description: 'Followed sessions without an open stream: it is being opened, or the API is polled.',
  },
  streamConnections: {
    name: `${PREFIX}stream_connections`,
    kind: 'counter',
    unit: '{event}',
    description:
      'Streams of the API that were opened, and that were lost or could not be opened; lost ones are reopened.',
    labels: { event: '`opened`, `lost`' },
  },
  waiters: {
    name: `${PREFIX}waiters`,
    kind: 'gauge',
    unit: '{call}',
    description: 'Calls that wait for a session.',
  },
  approvalsWaiting: {
    name: `${PREFIX}approvals_waiting`,
    kind: 'gauge',
    unit: '{call}',
    description:
      'Tool calls of agents that waited for an answer when this process last read their sessions, less those it has answered since. It reads a session when a caller does (session_get, session_wait, approval_list, session_respond), never for this metric; a session that was not read for an hour is forgotten. Replicas may have read the same session, so take their maximum.',
  },
  sessionsStarted: {
    name: `${PREFIX}sessions_started`,
    kind: 'counter',
    unit: '{session}',
    description: 'Sessions started through this server.',
    labels: { budget: '`limited`, `unlimited`' },
  },
  budgetCommitted: {
    name: `${PREFIX}budget_committed_usd`,
    kind: 'counter',
    unit: 'USD',
    description:
      'Sum of the budgets that sessions were started with: the most they may spend, not what they have spent. Sessions without a budget add nothing.',
  },
  sessionCost: {
    name: `${PREFIX}session_cost_usd`,
    kind: 'counter',
    unit: 'USD',
    description:
      'Growth of the list cost of sessions, as seen by this process when its callers read them: the whole cost of sessions started here, and the growth since the first read of others. Replicas that read the same session each count its growth, so their sum is an upper bound.',
  },
  auditSinkUp: {
    name: `${PREFIX}audit_sink_up`,
    kind: 'gauge',
    unit: '1',
    description: '1 while records are delivered to the sink.',
    labels: { sink: '`file`, `http`; only those that are set' },
  },
  auditRecordsWaiting: {
    name: `${PREFIX}audit_records_waiting`,
    kind: 'gauge',
    unit: '{record}',
    description: 'Records that are not delivered yet.',
    labels: { sink: '`file`, `http`' },
  },
  auditRecords: {
    name: `${PREFIX}audit_records`,
    kind: 'counter',
    unit: '{record}',
    description:
      'Records that were delivered, and that were dropped because too many were waiting (those are on stderr only).',
    labels: { sink: '`file`, `http`', result: '`delivered`, `lost`' },
  },
  cpu: {
    name: 'process_cpu_seconds',
    kind: 'counter',
    unit: 's',
    description: 'CPU time of the process, in user and system mode.',
  },
  residentMemory: {
    name: 'process_resident_memory_bytes',
    kind: 'gauge',
    unit: 'By',
    description: 'Memory of the process that is in RAM.',
  },
  heapUsed: {
    name: 'nodejs_heap_size_used_bytes',
    kind: 'gauge',
    unit: 'By',
    description: 'Used part of the JavaScript heap.',
  },
  heapLimit: {
    name: 'nodejs_heap_size_limit_bytes',
    kind: 'gauge',
    unit: 'By',
    description: 'Size of the JavaScript heap at which the process ends.',
  },
  openFiles: {
    name: 'process_open_fds',
    kind: 'gauge',
    unit: '{file}',
    description: 'Open file descriptors, on Linux.',
  },
  startTime: {
    name: 'process_start_time_seconds',
    kind: 'gauge',
    unit: 's',
    description: 'When the process started, in Unix time.',
  },
  eventLoopDelay: {
    name: 'nodejs_eventloop_delay_seconds',
    kind: 'gauge',
    unit: 's',
    description: 'Delay of timers in the event loop since the last collection.',
    labels: { percentile: '`50`, `99`, `100` (the longest)' },
  },
  gcDuration: {
    name: 'nodejs_gc_duration_seconds',
    kind: 'histogram',
    unit: 's',
    description: 'Garbage collections.',
    labels: { kind: '`minor`, `major`, `incremental`, `weakcb`' },
    buckets: [0.001, 0.01, 0.1, 1],
  },
});

export type InstrumentName = keyof typeof INSTRUMENTS;

/** A value and its labels. */
export type Observation = readonly [value: number, labels?: Attributes];

/** The declared instruments of one meter. */
export class Instruments {
  constructor(private readonly meter: Meter) {}

  /** @param zeros labels whose series start at 0, so that alerts see their first increase, too */
  counter(name: InstrumentName, zeros: readonly Attributes[] = []): (value: number, labels?: Attributes) => void {
    const { name: metric, ...options } = optionsOf(name);
    const counter = this.meter.createCounter(metric, options);
    for (const labels of zeros) counter.add(0, labels);
    return (value, labels) => counter.add(value, labels);
  }

  upDown(name: InstrumentName): (change: number) => void {
    const { name: metric, ...options } = optionsOf(name);
    const counter = this.meter.createUpDownCounter(metric, options);
    // Exists from the start, so that no calls is 0 rather than no data.
    counter.add(0);
    return (change) => counter.add(change);
  }

  histogram(name: InstrumentName): (value: number, labels?: Attributes) => void {
    const { name: metric, buckets, ...options } = optionsOf(name);
    const advice = { explicitBucketBoundaries: [...(buckets ?? [])] };
    const histogram = this.meter.createHistogram(metric, { ...options, advice });
    return (value, labels) => histogram.record(value, labels);
  }

  /** Read only when metrics are collected. */
  observed(name: InstrumentName, read: () => Iterable<Observation>): void {
    const { name: metric, kind, ...options } = optionsOf(name);
    const instrument =
      kind === 'counter'
        ? this.meter.createObservableCounter(metric, options)
        : this.meter.createObservableGauge(metric, options);
    instrument.addCallback((result) => {
      for (const [value, labels] of read()) result.observe(value, labels);
    });
  }
}

function optionsOf(name: InstrumentName): InstrumentDeclaration {
  return INSTRUMENTS[name];
}
