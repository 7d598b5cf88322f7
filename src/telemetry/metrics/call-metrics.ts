import { Injectable } from '@nestjs/common';
import { type ToolCall } from '../../context/call.js';
import { RULES } from '../../mcp/errors/tool-error.js';
import { type UpstreamAttempt, UpstreamObserver } from '../../managed-agents/upstream-observer.js';
import { type EndedToolCall, ToolCallObserver } from '../../mcp/tool-call-observer.js';
import { OpenTelemetry } from '../open-telemetry.js';
import { Instruments } from './instruments.js';

const KNOWN_RULES: ReadonlySet<string | undefined> = new Set(RULES);

const UNKNOWN = 'unknown';
/** Alerts compare the rules, whatever the tool. */
const NO_REFUSALS = RULES.map((rule) => ({ tool: UNKNOWN, rule }));

/** Counts tool calls. The values of every label are a fixed set that callers cannot extend. */
@Injectable()
export class CallMetrics extends ToolCallObserver {
  private readonly record?: Recorders;

  constructor(telemetry: OpenTelemetry) {
    super();
    if (telemetry.measuring) this.record = recorders(new Instruments(telemetry.meter));
  }

  override began(): void {
    this.record?.inFlight(1);
  }

  ended({ call, durationMs }: EndedToolCall): void {
    if (!this.record) return;
    const labels = { tool: toolOf(call), outcome: call.outcome };
    this.record.inFlight(-1);
    this.record.calls(1, labels);
    this.record.duration(durationMs / 1000, labels);
    if (call.outcome === 'refused') this.record.refusals(1, { tool: labels.tool, rule: ruleOf(call) });
    if (call.createdSessionId !== undefined) this.started(call, this.record);
  }

  private started({ budgetUsd }: ToolCall, record: Recorders): void {
    record.starts(1, { budget: budgetUsd === undefined ? 'unlimited' : 'limited' });
    if (budgetUsd !== undefined) record.budgets(budgetUsd);
  }
}

type Recorders = ReturnType<typeof recorders>;

function recorders(instruments: Instruments) {
  return {
    calls: instruments.counter('toolCalls', [{ tool: UNKNOWN, outcome: 'failed' }]),
    duration: instruments.histogram('toolCallDuration'),
    inFlight: instruments.upDown('callsInFlight'),
    refusals: instruments.counter('refusals', NO_REFUSALS),
    starts: instruments.counter('sessionsStarted'),
    budgets: instruments.counter('budgetCommitted'),
  };
}

function toolOf({ tool, outcome }: ToolCall): string {
  return outcome === 'unknown_tool' ? UNKNOWN : tool;
}

function ruleOf({ reason }: ToolCall): string {
  return reason !== undefined && KNOWN_RULES.has(reason) ? reason : 'other';
}

/** What alerts compare, whatever the operation. */
const NO_FAILURES = ['429', '500', 'timeout', 'connection'].map((status) => ({
  operation: 'other',
  status,
  retry: 'false',
}));

/** Counts requests to the API. */
export class UpstreamMetrics extends UpstreamObserver {
  private readonly requests: ReturnType<Instruments['counter']>;
  private readonly duration: ReturnType<Instruments['histogram']>;

  constructor(telemetry: OpenTelemetry) {
    super();
    const instruments = new Instruments(telemetry.meter);
    this.requests = instruments.counter('upstreamRequests', NO_FAILURES);
    this.duration = instruments.histogram('upstreamDuration');
  }

  attempted({ operation, status, retry, durationMs }: UpstreamAttempt): void {
    this.requests(1, { operation, status, retry: String(retry) });
    this.duration(durationMs / 1000, { operation });
  }
}
