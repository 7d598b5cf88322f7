import { formatTime } from '../clock.js';
import type { WireSession } from '../wire.js';
import type { SessionState } from './state.js';

/** The session as `GET` shows it: its status lags behind the log, and there is no stop reason in it. */
export function describeSession(session: SessionState): WireSession {
  const { config, meter, status, createdAt, archivedAt } = session;
  const now = session.platform.clock.now();
  return {
    id: session.id,
    type: 'session',
    status: archivedAt === undefined ? status.visible : 'terminated',
    title: config.title,
    agent: config.agent,
    environment_id: config.environment.id,
    vault_ids: config.vaultIds,
    resources: config.resources,
    metadata: config.metadata,
    budget: config.budget,
    usage: status.visibleUsage(meter),
    stats: {
      active_seconds: meter.activeSeconds(now),
      duration_seconds: Math.round((now - createdAt) / 1000) / 1000,
    },
    outcome_evaluations: session.outcomes.map((outcome) => outcome.describe()),
    created_at: formatTime(createdAt),
    updated_at: formatTime(Math.max(createdAt, status.updatedAt)),
    archived_at: archivedAt === undefined ? null : formatTime(archivedAt),
  };
}
