import { Injectable, Optional } from '@nestjs/common';
import { AuditSinks } from '../../audit/audit-sinks.js';
import { type AuthFailure, AuthRefusals } from '../../auth/auth-refusals.js';
import { LIMIT_DECISIONS, StoreHealth } from '../../guardrails/limits/store-health.js';
import { FollowService } from '../../managed-agents/follow/follow.service.js';
import { SessionStats } from '../../managed-agents/session-stats.js';
import { OpenTelemetry } from '../open-telemetry.js';
import { Instruments, type Observation } from './instruments.js';

const NO_AUTH_FAILURES: Readonly<Record<AuthFailure, 0>> = {
  missing: 0,
  unknown_token: 0,
  malformed: 0,
  type: 0,
  critical: 0,
  algorithm: 0,
  issuer: 0,
  keys: 0,
  key: 0,
  signature: 0,
  expiry: 0,
  not_before: 0,
  token_use: 0,
  id_token: 0,
  unproven: 0,
  app_only: 0,
  audience: 0,
  subject: 0,
  principal: 0,
  other: 0,
};

/** The state of followed and read sessions. */
@Injectable()
export class SessionState {
  constructor(
    readonly follow: FollowService,
    readonly stats: SessionStats,
  ) {}
}

/** Metrics that are read from the counters of other modules when they are collected. Those modules import no metrics. */
@Injectable()
export class StateMetrics {
  constructor(
    telemetry: OpenTelemetry,
    private readonly sessions: SessionState,
    private readonly store: StoreHealth,
    private readonly audit: AuditSinks,
    @Optional() private readonly auth?: AuthRefusals,
  ) {
    if (telemetry.measuring) this.observe(new Instruments(telemetry.meter));
  }

  private observe(instruments: Instruments): void {
    const { follow, stats } = this.sessions;
    instruments.observed('streams', () => [[follow.load.streams]]);
    instruments.observed('streamsLimit', () => [[follow.maxStreams]]);
    instruments.observed('streamsPolling', () => [[follow.load.polling]]);
    instruments.observed('waiters', () => [[follow.load.waiters]]);
    instruments.observed('streamConnections', () => eachOf('event', follow.connections));
    instruments.observed('approvalsWaiting', () => [[stats.approvals.total]]);
    instruments.observed('sessionCost', () => [[stats.spending.total]]);
    instruments.observed('limitStoreUp', () => [[this.store.up ? 1 : 0]]);
    instruments.observed('limitStoreFailures', () => eachOf('reason', this.store.failures));
    instruments.observed('rateLimitDecisions', () => this.decisions());
    instruments.observed('authFailures', () => this.authFailures());
    instruments.observed('auditSinkUp', () => this.audit.states.map(([sink, { ready }]) => [ready ? 1 : 0, { sink }]));
    instruments.observed('auditRecordsWaiting', () =>
      this.audit.states.map(([sink, { waiting }]) => [waiting, { sink }]),
    );
    instruments.observed('auditRecords', () => this.records());
  }

  /** Every reason, from 0 on: an alert compares each. */
  private authFailures(): Observation[] {
    return this.auth ? eachOf('reason', { ...NO_AUTH_FAILURES, ...Object.fromEntries(this.auth.counts) }) : [];
  }

  private decisions(): Observation[] {
    return [...this.store.decisions].flatMap(([limit, counts]) =>
      LIMIT_DECISIONS.map((decision) => [counts[decision], { limit, decision }] as const),
    );
  }

  private records(): Observation[] {
    return this.audit.states.flatMap(([sink, { delivered, lost }]) => [
      [delivered, { sink, result: 'delivered' }] as const,
      [lost, { sink, result: 'lost' }] as const,
    ]);
  }
}

/** Every entry as a value with its key as label. */
function eachOf(label: string, counts: Readonly<Record<string, number>> | ReadonlyMap<string, number>): Observation[] {
  const entries = counts instanceof Map ? [...(counts as ReadonlyMap<string, number>)] : Object.entries(counts);
  return entries.map(([key, value]) => [value as number, { [label]: key }]);
}
