/** What an alert is tried on: series by name with their values, one a minute, in the notation of promtool. */
export interface AlertCase {
  /** Without "ManagedAgentControl". */
  readonly alert: string;
  readonly when: string;
  readonly series: Readonly<Record<string, string>>;
  /** At which minute it is looked at. */
  readonly minute: number;
  /** Labels besides those of the rule, and the description; left out where nothing may fire. */
  readonly fires?: { readonly labels: Record<string, string>; readonly description: string };
}

export const JOB = { job: 'managed-agent-control', instance: '10.0.0.7:9090' };
const OF_JOB = { job: JOB.job };
const of = (metric: string, labels: Record<string, string> = {}): string => {
  const pairs = Object.entries({ ...JOB, ...labels }).map(([name, value]) => `${name}="${value}"`);
  const known = /^(up$|nodejs_|process_)/.test(metric) ? metric : `managed_agent_control_${metric}`;
  return `${known}{${pairs.join(',')}}`;
};
const IN_FLIGHT = of('tool_calls_in_flight');
const bucket = (tool: string, le: string) => of('tool_call_duration_seconds_bucket', { tool, outcome: 'ok', le });
const slow = (tool: string) => ({
  [bucket(tool, '5')]: '0+1x90',
  [bucket(tool, '10')]: '0+10x90',
  [bucket(tool, '+Inf')]: '0+10x90',
});
const calls = (outcome: string) => of('tool_calls_total', { tool: 'session_get', outcome });
const requests = (status: string) =>
  of('upstream_requests_total', { operation: 'sessions.get', status, retry: 'false' });
const refusals = (tool: string, rule = 'rate_limit') => of('refusals_total', { tool, rule });
const failures = (reason: string) => of('auth_failures_total', { reason });
const records = (result: string) => of('audit_records_total', { sink: 'http', result });
const delay = of('nodejs_eventloop_delay_seconds', { percentile: '99' });

/** Series begin at minute 0, as those of a pod that has just started. */
export const ALERT_CASES: readonly AlertCase[] = [
  {
    alert: 'Absent',
    when: 'nothing is scraped',
    series: {},
    minute: 10,
    fires: {
      labels: {},
      description:
        'No replica has been scraped for five minutes: none runs, or Prometheus does not reach the management port.',
    },
  },
  { alert: 'Absent', when: 'one replica is scraped', series: { [IN_FLIGHT]: '0x20' }, minute: 10 },
  {
    alert: 'Down',
    when: 'a replica has not answered for ten minutes',
    series: { [of('up')]: '1x5 0x20' },
    minute: 15,
    fires: { labels: JOB, description: '10.0.0.7:9090 has not answered on its management port for five minutes.' },
  },
  { alert: 'Down', when: 'a pod starts', series: { [of('up')]: '0x2 1x20' }, minute: 15 },
  {
    alert: 'ToolCallErrors',
    when: 'a fifth of the calls fails from the start on',
    series: { [calls('failed')]: '0+6x60', [calls('ok')]: '0+24x60' },
    minute: 25,
    fires: {
      labels: OF_JOB,
      description:
        '20% of the tool calls of managed-agent-control failed over the last ten minutes. Refused and invalid calls are not counted.',
    },
  },
  {
    alert: 'ToolCallErrors',
    when: 'calls are refused or invalid',
    series: { [calls('refused')]: '0+60x60', [calls('invalid')]: '0+60x60', [calls('failed')]: '0x60' },
    minute: 25,
  },
  { alert: 'ToolCallErrors', when: 'one call a minute fails', series: { [calls('failed')]: '0+1x60' }, minute: 25 },
  {
    alert: 'ToolCallLatency',
    when: 'nine of ten calls of a tool take longer than five seconds',
    series: slow('session_start'),
    minute: 40,
    fires: {
      labels: { ...OF_JOB, tool: 'session_start' },
      description: '95 of 100 calls of session_start are answered within 9.722s only.',
    },
  },
  { alert: 'ToolCallLatency', when: 'waits are long', series: slow('session_wait'), minute: 40 },
  {
    alert: 'UpstreamRateLimited',
    when: 'the API answers one request in five seconds with 429',
    series: { [requests('429')]: '0+12x60' },
    minute: 20,
    fires: {
      labels: OF_JOB,
      description:
        'The Managed Agents API answers 0.20 requests per second with 429. The quota belongs to the whole organization.',
    },
  },
  {
    alert: 'UpstreamRateLimited',
    when: 'there was one burst',
    series: { [requests('429')]: '0x5 60x40' },
    minute: 20,
  },
  {
    alert: 'UpstreamErrors',
    when: 'a fifth of the requests fails or has no answer',
    series: { [requests('500')]: '0+1x60', [requests('timeout')]: '0+1x60', [requests('200')]: '0+8x60' },
    minute: 20,
    fires: {
      labels: OF_JOB,
      description: '20% of the requests to the Managed Agents API failed with 5xx or had no answer.',
    },
  },
  {
    alert: 'UpstreamErrors',
    when: 'the API answers 404',
    series: { [requests('404')]: '0+10x60', [requests('500')]: '0x60' },
    minute: 20,
  },
  {
    alert: 'RefusalsSurge',
    when: 'a rule that never refused begins to, on a fresh pod',
    series: { [refusals('unknown')]: '0x60', [refusals('session_start')]: '_x4 30+30x60' },
    minute: 22,
    fires: {
      labels: { ...OF_JOB, rule: 'rate_limit' },
      description: 'Rule rate_limit refuses 0.50 calls per second, more than five times as many as in the hour before.',
    },
  },
  {
    alert: 'RefusalsSurge',
    when: 'ten times as many calls are refused as in the hours before',
    series: { [refusals('session_start')]: '0+3x120 390+30x60' },
    minute: 140,
    fires: {
      labels: { ...OF_JOB, rule: 'rate_limit' },
      description: 'Rule rate_limit refuses 0.50 calls per second, more than five times as many as in the hour before.',
    },
  },
  {
    alert: 'RefusalsSurge',
    when: 'as many calls are refused as ever',
    series: { [refusals('session_start')]: '0+30x180' },
    minute: 170,
  },
  { alert: 'RefusalsSurge', when: 'few calls are refused', series: { [refusals('unknown')]: '0+6x60' }, minute: 22 },
  {
    alert: 'AuthFailures',
    when: 'old tokens keep coming',
    series: { [failures('expiry')]: '0+24x60' },
    minute: 25,
    fires: {
      labels: { ...OF_JOB, reason: 'expiry' },
      description: '0.40 requests per second are refused for reason expiry.',
    },
  },
  {
    alert: 'AuthFailures',
    when: 'clients ask without a token',
    series: { [failures('missing')]: '0+60x60' },
    minute: 25,
  },
  {
    alert: 'SigningKeysUnknown',
    when: 'requests fail for want of keys from the start on',
    series: { [failures('keys')]: '0+1x60' },
    minute: 12,
    fires: {
      labels: OF_JOB,
      description: 'Nobody can sign in: the signing keys of the identity provider could not be fetched.',
    },
  },
  { alert: 'SigningKeysUnknown', when: 'no request failed', series: { [failures('keys')]: '0x60' }, minute: 12 },
  {
    alert: 'LimitStoreAway',
    when: 'Redis is away from the start on',
    series: { [of('limit_store_up')]: '0x20' },
    minute: 5,
    fires: {
      labels: JOB,
      description:
        '10.0.0.7:9090 cannot count calls in Redis and is not ready: behind a Service no replica gets calls. Where readiness is not asked, starts are refused and other calls pass uncounted.',
    },
  },
  {
    alert: 'LimitStoreAway',
    when: 'Redis was away for a minute',
    series: { [of('limit_store_up')]: '1x3 0 1x20' },
    minute: 5,
  },
  {
    alert: 'AuditSinkFailing',
    when: 'the collector is away',
    series: { [of('audit_sink_up', { sink: 'http' })]: '0x20' },
    minute: 5,
    fires: {
      labels: { ...JOB, sink: 'http' },
      description:
        'Sink http of 10.0.0.7:9090 takes no records. They wait in memory; with MCP_AUDIT_REQUIRED calls that change something are refused.',
    },
  },
  {
    alert: 'AuditSinkFailing',
    when: 'the collector takes records',
    series: { [of('audit_sink_up', { sink: 'http' })]: '1x20' },
    minute: 5,
  },
  {
    alert: 'AuditRecordsLost',
    when: 'records were lost',
    series: { [records('lost')]: '0x4 10x20' },
    minute: 10,
    fires: {
      labels: { ...JOB, sink: 'http' },
      description: '10 records did not fit into what may wait for sink http of 10.0.0.7:9090. They are on stderr only.',
    },
  },
  {
    alert: 'AuditRecordsLost',
    when: 'records are delivered',
    series: { [records('lost')]: '0x30', [records('delivered')]: '0+10x30' },
    minute: 10,
  },
  {
    alert: 'StreamsNearLimit',
    when: '450 of 500 sessions are followed',
    series: { [of('streams')]: '450x20', [of('streams_limit')]: '500x20' },
    minute: 10,
    fires: {
      labels: JOB,
      description:
        '10.0.0.7:9090 follows 90% of MCP_MAX_STREAMS; beyond it session_wait is refused. Add replicas, or raise it.',
    },
  },
  {
    alert: 'StreamsNearLimit',
    when: '100 of 500 are',
    series: { [of('streams')]: '100x20', [of('streams_limit')]: '500x20' },
    minute: 10,
  },
  {
    alert: 'StreamsPolling',
    when: 'most sessions have no stream',
    series: { [of('streams')]: '10x20', [of('streams_polling')]: '6x20' },
    minute: 15,
    fires: {
      labels: OF_JOB,
      description:
        'More than half of the followed sessions have no open stream, so that waits notice changes later and cost more requests.',
    },
  },
  {
    alert: 'StreamsPolling',
    when: 'nothing is followed',
    series: { [of('streams')]: '0x20', [of('streams_polling')]: '0x20' },
    minute: 15,
  },
  {
    alert: 'EventLoopLag',
    when: 'the event loop is late',
    series: { [delay]: '0.3x20', [IN_FLIGHT]: '0x20' },
    minute: 10,
    fires: {
      labels: JOB,
      description: 'The event loop of 10.0.0.7:9090 is 300ms late at the 99th percentile. Add replicas or CPU.',
    },
  },
  { alert: 'EventLoopLag', when: 'it is in another Node.js', series: { [delay]: '0.3x20' }, minute: 10 },
  {
    alert: 'HeapNearLimit',
    when: 'the heap is nearly full',
    series: {
      [of('nodejs_heap_size_used_bytes')]: '90x30',
      [of('nodejs_heap_size_limit_bytes')]: '100x30',
      [IN_FLIGHT]: '0x30',
    },
    minute: 20,
    fires: {
      labels: JOB,
      description: '10.0.0.7:9090 uses 90% of its JavaScript heap; at its limit the process ends.',
    },
  },
  {
    alert: 'HeapNearLimit',
    when: 'it is half full',
    series: {
      [of('nodejs_heap_size_used_bytes')]: '50x30',
      [of('nodejs_heap_size_limit_bytes')]: '100x30',
      [IN_FLIGHT]: '0x30',
    },
    minute: 20,
  },
];
